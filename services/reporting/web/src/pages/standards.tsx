// What every moment should look like: all standards, or for an agent those that count.
import { useState } from 'preact/hooks';
import { call, path } from '../api';
import { useLive } from '../bus';
import { siteName } from '../directory';
import { dayTime, list as listed, t, word } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import { Buttons, Dialog } from '../parts/dialog';
import { Fields, objectionsOf, TextField } from '../parts/form';
import { PageHead } from '../parts/page-head';
import { ProblemPanel, Waiting } from '../parts/problem';
import { AgentView } from '../parts/scorecard';
import { isCanary } from '../parts/versions';
import type { ListStandardsResponse, Standard } from '../proto';
import { go } from '../router';
import { hasRole, user } from '../session';
import { blankStandard, idFrom, scopeText } from '../standard';

interface Row { id: string; shown: Standard; canary: Standard | undefined; draft: Standard | undefined }

function rowsOf({ standards, drafts }: ListStandardsResponse): Row[] {
  const ids = [...new Set([...standards, ...drafts].map((s) => s.standard_id))];
  return ids.map((id) => {
    const own = standards.filter((s) => s.standard_id === id).sort((a, b) => b.version - a.version);
    const draft = drafts.find((d) => d.standard_id === id);
    return { id, shown: (own.find((s) => !isCanary(s)) ?? own[0] ?? draft)!, canary: own.find(isCanary), draft };
  });
}

function Add({ taken, onClose }: { taken: readonly string[]; onClose: () => void }) {
  const [title, setTitle] = useState('');
  const command = useCommand();
  const words = t().standards;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const id = idFrom(title, taken);
    const body = { standard: blankStandard(id, title.trim(), words.newSection(1), words.newCriterion, user.value?.sites ?? []) };
    if (await command.run((key) => call('PUT', path('/api/v1/standards/{}/draft', id), { body, key }))) go(path('/standards/{}', id));
  }
  return (
    <Dialog title={words.addTitle} onClose={onClose}>
      <form onSubmit={submit}>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}><TextField name="standard.title" label={words.name} hint={words.nameHint} value={title} onValue={setTitle} most={150} required /></Fields>
        <Buttons busy={command.isBusy} act={words.begin} onCancel={onClose} disabled={!title.trim()} />
      </form>
    </Dialog>
  );
}

function Listed({ row }: { row: Row }) {
  const words = t().standards;
  const { shown, canary, draft } = row;
  return (
    <li class="panel" data-testid="standard">
      <h2><a href={path('/standards/{}', row.id)}>{shown.title}</a> <span class="badge">{word(t().standardStates, shown.state)}</span></h2>
      <p>{words.scope}: {scopeText(shown.scope)}</p>
      <p class="quiet small">{shown.version > 0 ? `${words.v(shown.version)}, ${words.signed(shown.signed_by, dayTime(shown.published_at))}` : words.notPublished}</p>
      {canary && <p class="small">{words.v(canary.version)}: {words.canary(listed(canary.canary_sites.map(siteName)))}</p>}
      {draft && shown !== draft && <p class="small">{words.hasDraft}</p>}
    </li>
  );
}

export function StandardsPage() {
  const [isAdding, setAdding] = useState(false);
  const { data, problem, reload } = useLoaded<ListStandardsResponse>('/api/v1/standards');
  useLive('standard', reload);
  const words = t().standards;
  const isEditor = hasRole('leader', 'coach');
  const rows = data ? rowsOf(data) : [];
  const inForce = rows.filter((r) => r.shown.state === 'published');
  return (
    <div class="standards">
      <PageHead title={isEditor ? words.title : words.myTitle} about={isEditor ? words.about : words.myAbout}>
        {isEditor && <button type="button" class="main-action" onClick={() => setAdding(true)}>{words.add}</button>}
      </PageHead>
      {!data ? <Waiting problem={problem} retry={reload} />
        : isEditor ? rows.length === 0 ? <div class="panel empty"><p>{words.none}</p></div> : <ul class="plain cards">{rows.map((r) => <Listed key={r.id} row={r} />)}</ul>
        : inForce.length === 0 ? <div class="panel empty"><p>{words.noneMine}</p></div> : inForce.map((r) => <AgentView key={r.id} standard={r.shown} level="page" />)}
      {isAdding && <Add taken={rows.map((r) => r.id)} onClose={() => setAdding(false)} />}
    </div>
  );
}
