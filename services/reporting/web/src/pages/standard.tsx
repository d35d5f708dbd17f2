// One standard: its draft, how others see it, its versions. For whoever may not edit it: what it says.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, path, query } from '../api';
import { useLive } from '../bus';
import { t, dayTime } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import { PageHead } from '../parts/page-head';
import { ProblemPanel, Waiting } from '../parts/problem';
import { AgentView, EvaluatorView } from '../parts/scorecard';
import { StandardEditor } from '../parts/standard-editor';
import { Tabs } from '../parts/tabs';
import { Versions } from '../parts/versions';
import type { ListStandardsResponse, Standard } from '../proto';
import { go, place } from '../router';
import { hasRole } from '../session';

type View = 'edit' | 'evaluator' | 'agent' | 'versions';

function Begin({ newest, onDone }: { newest: Standard; onDone: () => void }) {
  const command = useCommand();
  const words = t().standards;
  async function begin(): Promise<void> {
    const standard: Standard = { ...newest, state: 'draft', version: 0, revision: 0, canary_sites: [], effective_at: null, published_at: null, rolled_out_at: null, copy_of_version: 0 };
    if (await command.run((key) => call('PUT', path('/api/v1/standards/{}/draft', newest.standard_id), { body: { standard }, key }))) onDone();
  }
  return (
    <div class="panel empty"><p>{words.noDraft}</p><ProblemPanel problem={command.problem} />
      <button type="button" class="main-action" onClick={() => void begin()} disabled={command.isBusy}>{words.beginDraft}</button></div>
  );
}

function Editable({ id, data, reload }: { id: string; data: ListStandardsResponse; reload: () => void }) {
  const versions = data.standards.filter((s) => s.standard_id === id).sort((a, b) => b.version - a.version);
  const draft = data.drafts.find((d) => d.standard_id === id);
  // What is being edited is not replaced by what is read again by the way, only when that was asked for.
  const [held, setHeld] = useState({ draft, edition: 0 });
  const [edited, setEdited] = useState(draft);
  const isWanted = useRef(false);
  useEffect(() => {
    if (!isWanted.current && held.draft && draft) return;
    isWanted.current = false;
    setHeld((old) => ({ draft, edition: old.edition + 1 }));
    setEdited(draft);
  }, [data]);
  const fresh = (): void => { isWanted.current = true; reload(); };
  const given = place.value.searchParams.get('view') as View | null;
  const view: View = given ?? (draft || versions.length === 0 ? 'edit' : 'versions');
  const shown = edited ?? versions[0];
  const words = t().standards;
  if (!shown) return null;
  const tabs: [View, string][] = [['edit', words.edit], ['evaluator', words.asEvaluator], ['agent', words.asAgent], ['versions', words.versions]];
  return (
    <Tabs label={words.views} tabs={tabs} at={view} onTab={(v) => go(`${path('/standards/{}', id)}${query({ view: v })}`, true)}>
      {held.draft && <div hidden={view !== 'edit'}><StandardEditor key={held.edition} given={held.draft} reload={fresh} shown={setEdited} /></div>}
      {view === 'edit' && !held.draft && versions[0] && <Begin newest={versions[0]} onDone={fresh} />}
      {view === 'evaluator' && <EvaluatorView standard={shown} />}
      {view === 'agent' && <AgentView standard={shown} level="part" />}
      {view === 'versions' && <Versions versions={versions} onDone={fresh} />}
    </Tabs>
  );
}

export function StandardPage({ id }: { id: string }) {
  const { data, problem, reload } = useLoaded<ListStandardsResponse>(`/api/v1/standards${query({ standard_id: id, history: true })}`);
  useLive('standard', (s) => { if (s.standard_id === id && s.state !== 'draft') reload(); });
  const words = t().standards;
  const draft = data?.drafts.find((d) => d.standard_id === id);
  const newest = data?.standards.filter((s) => s.standard_id === id).sort((a, b) => b.version - a.version)[0];
  const title = draft?.title ?? newest?.title ?? (data ? words.notThere : words.title);
  const aside = draft ? words.draftBy(draft.edited_by_name || draft.edited_by, dayTime(draft.edited_at)) : newest ? words.v(newest.version) : undefined;
  const isEditor = hasRole('leader', 'coach');
  return (
    <div class="standard">
      <PageHead title={title} aside={aside} about={isEditor ? words.about : words.myAbout}><a class="button" href="/standards">{words.backTo}</a></PageHead>
      {!data ? <Waiting problem={problem} retry={reload} /> : !draft && !newest ? <ProblemPanel problem={{ status: 404, title: '' }} />
        : isEditor ? <Editable id={id} data={data} reload={reload} /> : newest && <AgentView standard={newest} level="page" />}
    </div>
  );
}
