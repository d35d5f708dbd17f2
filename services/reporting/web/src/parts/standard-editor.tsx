// Editing the draft of a standard: saved by itself, objections shown at their fields, published with a signature.
import { useState } from 'preact/hooks';
import { ask, call, path, query } from '../api';
import { number, t } from '../i18n';
import { useCommand } from '../loading';
import type { ListStandardsResponse, Objection, PublishStandardResponse, SaveStandardDraftResponse, Standard, StandardScope } from '../proto';
import { hasRole, user } from '../session';
import { isFull, moveCriterion, moveSection, newCriterion, sectionsOf, shareWeights, tidy, weightOf, type Section } from '../standard';
import { Confirm } from './confirm';
import { CriterionEditor } from './criterion-editor';
import { Buttons, Dialog } from './dialog';
import { ChecksField, Fields, objectionsOf, optionsOf, TextField } from './form';
import { QueuesPicker, SitesPicker } from './pickers';
import { ProblemPanel } from './problem';
import { SaveStatus, useAutosave } from './saving';
import { toast } from './toasts';

interface Props {
  given: Standard;
  // Look at the server's again: somebody else's draft is taken over, or it was published or discarded.
  reload: () => void;
  shown: (draft: Standard) => void;
}

const TITLE_MOST = 150;
const TEXT_MOST = 2000;

export const draftOf = async (id: string): Promise<Standard | undefined> =>
  (await ask<ListStandardsResponse>(`/api/v1/standards${query({ standard_id: id })}`)).drafts.find((d) => d.standard_id === id);

function Scope({ scope, change }: { scope: StandardScope; change: (scope: StandardScope) => void }) {
  const fields = t().fields;
  return (
    <fieldset><legend>{t().standards.scope}</legend>
      <p class="hint">{t().standards.scopeHint}</p>
      <QueuesPicker name="standard.scope.queues" values={scope.queues} onValues={(queues) => change({ ...scope, queues })} />
      <SitesPicker name="standard.scope.sites" values={scope.sites} onValues={(sites) => change({ ...scope, sites })} />
      <ChecksField name="standard.scope.channels" label={`${fields.channels} (${fields.everyChannel})`} values={scope.channels} onValues={(channels) => change({ ...scope, channels })} options={optionsOf(t().channels)} />
      <ChecksField name="standard.scope.directions" label={`${fields.directions} (${fields.everyDirection})`} values={scope.directions} onValues={(directions) => change({ ...scope, directions })} options={optionsOf(t().directions)} />
    </fieldset>
  );
}

function Weights({ section, share }: { section: Section; share: () => void }) {
  const words = t().standards;
  const total = number(weightOf(section));
  return isFull(section)
    ? <span class="verdict is-met small">{words.weightsRight(total)}</span>
    : <><span class="verdict is-not-met small">{words.weights(total)}</span> <button type="button" class="small" onClick={share}>{words.share}</button></>;
}

// Kept when one leaves the field: half a name could be the name of another section.
function SectionName({ name, at, taken, rename }: { name: string; at: number; taken: readonly string[]; rename: (name: string) => void }) {
  const [typed, setTyped] = useState(name);
  function leave(): void {
    const next = typed.trim();
    if (next && !taken.includes(next)) rename(next);
    else setTyped(name);
  }
  return <label class="section-name"><span class="only-heard">{t().standards.sectionName}</span><input name={`section-${at}`} value={typed} maxLength={TITLE_MOST} onInput={(e) => setTyped(e.currentTarget.value)} onBlur={leave} /></label>;
}

function Criteria({ draft, objections, edit }: { draft: Standard; objections: ReadonlyMap<string, string>; edit: (part: Partial<Standard>) => void }) {
  const [said, setSaid] = useState('');
  const [fresh, setFresh] = useState('');
  const words = t().criterion;
  const { criteria } = draft;
  const sections = sectionsOf(criteria);
  const set = (next: Standard['criteria']): void => edit({ criteria: tidy(next) });
  function move(id: string, title: string, step: 1 | -1): void {
    const next = moveCriterion(criteria, id, step);
    set(next);
    setSaid(words.moved(title, next.findIndex((c) => c.criterion_id === id) + 1));
    // What moves in the document loses the focus.
    setTimeout(() => document.getElementById(`${step < 0 ? 'up' : 'down'}-${id}`)?.focus(), 30);
  }
  function add(section: string): void {
    const c = newCriterion(section, t().standards.newCriterion);
    setFresh(c.criterion_id);
    set([...criteria, c]);
  }
  function addSection(): void {
    let n = sections.length + 1;
    while (sections.some((s) => s.name === t().standards.newSection(n))) n++;
    add(t().standards.newSection(n));
  }
  return (
    <>
      <p role="status" class="only-heard">{said}</p>
      {sections.map((s, at) => (
        <section key={at} class="panel" data-testid="section" aria-label={s.name}>
          <div class="section-head">
            <SectionName key={s.name} name={s.name} at={at} taken={sections.map((x) => x.name)} rename={(name) => set(criteria.map((c) => (c.section === s.name ? { ...c, section: name } : c)))} />
            <Weights section={s} share={() => set(shareWeights(criteria, s.name))} />
            <span class="buttons">
              <button type="button" aria-label={words.sectionUp(s.name)} onClick={() => set(moveSection(criteria, s.name, -1))}>↑</button>
              <button type="button" aria-label={words.sectionDown(s.name)} onClick={() => set(moveSection(criteria, s.name, 1))}>↓</button></span>
          </div>
          {s.items.map(({ criterion: c, index }) => (
            <CriterionEditor key={c.criterion_id} criterion={c} index={index} earlier={criteria.slice(0, index)} startsOpen={c.criterion_id === fresh}
              isRefused={[...objections.keys()].some((f) => f.startsWith(`standard.criteria[${index}].`))} change={(next) => set(criteria.map((x) => (x.criterion_id === c.criterion_id ? next : x)))}
              actions={<>
                <button type="button" id={`up-${c.criterion_id}`} aria-label={words.up(c.title)} onClick={() => move(c.criterion_id, c.title, -1)}>↑</button>
                <button type="button" id={`down-${c.criterion_id}`} aria-label={words.down(c.title)} onClick={() => move(c.criterion_id, c.title, 1)}>↓</button>
                <button type="button" aria-label={words.remove(c.title)} onClick={() => set(criteria.filter((x) => x !== c))}>×</button></>} />))}
          <button type="button" onClick={() => add(s.name)}>{t().standards.addCriterion}</button>
        </section>))}
      <p><button type="button" onClick={addSection}>{t().standards.addSection}</button></p>
    </>
  );
}

function Publish({ draft, revision, onClose, onDone }: { draft: Standard; revision: number; onClose: () => void; onDone: () => void }) {
  const [why, setWhy] = useState(draft.why);
  const [example, setExample] = useState(draft.example);
  const [sites, setSites] = useState<string[]>([]);
  const [effective, setEffective] = useState('');
  const command = useCommand();
  const words = t().standards;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = { why: why.trim(), example: example.trim(), canary_sites: sites, effective_at: effective ? new Date(effective).toISOString() : null };
    const isDone = await command.run(async (key) => {
      const done = await call<PublishStandardResponse>('POST', path('/api/v1/standards/{}/publish', draft.standard_id), { body, revision, key });
      toast(words.published(done.standard?.version ?? 0), draft.title, null, 'good');
    });
    if (isDone) onDone();
  }
  return (
    <Dialog title={words.publishTitle(draft.title)} onClose={onClose}>
      <form onSubmit={submit}>
        <p class="quiet">{words.publishAbout}</p>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <TextField name="why" label={words.whyText} hint={words.whyHint} value={why} onValue={setWhy} rows={3} most={TEXT_MOST} required />
          <TextField name="example" label={words.exampleText} hint={words.exampleHint} value={example} onValue={setExample} rows={3} most={TEXT_MOST} required />
          <SitesPicker name="canary_sites" label={words.canarySites} none={words.canaryNone} values={sites} onValues={setSites} />
          <TextField name="effective_at" type="datetime-local" label={words.effective} hint={words.effectiveHint} value={effective} onValue={setEffective} />
        </Fields>
        <p><strong>{words.signedByYou(user.value?.name || user.value?.login || '')}</strong></p>
        <Buttons busy={command.isBusy} act={words.publishAct} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

function Discard({ id, revision, onClose, onDone }: { id: string; revision: number; onClose: () => void; onDone: () => void }) {
  const words = t().standards;
  const done = (): void => { toast(words.discarded); onDone(); };
  return <Confirm title={words.discardTitle} about={words.discardAbout} act={words.discard} onClose={onClose} onDone={done} work={(key) => call('DELETE', path('/api/v1/standards/{}/draft', id), { revision, key })} />;
}

function Standing({ objections }: { objections: Objection[] | null }) {
  const words = t().standards;
  if (!objections) return null;
  if (objections.length === 0) return <p class="good-panel" data-testid="ready">{words.ready}</p>;
  return (
    <details class="note" data-testid="objections"><summary>{words.objections(objections.length)}</summary>
      <ul>{objections.map((o, i) => <li key={i}>{o.detail} <button type="button" class="plain-button small" onClick={() => document.querySelector<HTMLElement>(`[name="${CSS.escape(o.field)}"]`)?.focus()}>{words.goThere}<span class="only-heard">: {o.field}</span></button></li>)}</ul>
    </details>
  );
}

export function StandardEditor({ given, reload, shown }: Props) {
  const [draft, setDraft] = useState(given);
  const [objections, setObjections] = useState<Objection[] | null>(null);
  const [asking, setAsking] = useState<'nothing' | 'publish' | 'discard'>('nothing');
  const words = t().standards;
  const saving = useAutosave<Standard>(given.standard_id, given.revision,
    async (standard, revision) => {
      const done = await call<SaveStandardDraftResponse>('PUT', path('/api/v1/standards/{}/draft', standard.standard_id), { body: { standard }, revision });
      setObjections(done.objections);
      return done.standard?.revision ?? revision + 1;
    },
    async () => (await draftOf(given.standard_id))?.revision ?? 0);
  function edit(part: Partial<Standard>): void {
    const next = { ...draft, ...part };
    setDraft(next);
    shown(next);
    saving.edit(next);
  }
  async function begin(what: 'publish' | 'discard'): Promise<void> {
    const state = await saving.flush();
    if (what === 'discard' || state.kind === 'saved' || state.kind === 'clean') setAsking(what);
  }
  const done = (): void => { saving.stop(); setAsking('nothing'); reload(); };
  const refused = objectionsOf(null, objections ?? []);
  return (
    <div class="standard-editor">
      <div class="editor-bar">
        <SaveStatus saving={saving} takeTheirs={() => { saving.stop(); reload(); }} />
        <div class="buttons">
          <button type="button" class="danger" onClick={() => void begin('discard')}>{words.discard}…</button>
          {hasRole('leader') && <button type="button" class="main-action" onClick={() => void begin('publish')}>{words.publish}</button>}
        </div>
      </div>
      <Standing objections={objections} />
      <Fields objections={refused}>
        <section class="panel" aria-label={words.name}>
          <TextField name="standard.title" label={words.name} hint={words.nameHint} value={draft.title} onValue={(title) => edit({ title })} most={TITLE_MOST} required />
          <Scope scope={draft.scope ?? { sites: [], queues: [], channels: [], directions: [] }} change={(scope) => edit({ scope })} />
        </section>
        <Criteria draft={draft} objections={refused} edit={edit} />
      </Fields>
      {asking === 'publish' && <Publish draft={draft} revision={saving.revision()} onClose={() => setAsking('nothing')} onDone={done} />}
      {asking === 'discard' && <Discard id={draft.standard_id} revision={saving.revision()} onClose={() => setAsking('nothing')} onDone={done} />}
    </div>
  );
}
