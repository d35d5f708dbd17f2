// A person evaluates a moment: saved while they listen, seen by nobody else until it is released.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, call, path, type Problem } from '../api';
import { t } from '../i18n';
import { useCommand } from '../loading';
import type { Evaluation, SaveEvaluationResponse, Standard } from '../proto';
import { missingIn } from '../scoring';
import { answersOut, fieldOf, filledFrom, Questions, Standing, type Filled } from './answers-form';
import { Confirm } from './confirm';
import { Fields, objectionsOf, TextField } from './form';
import { ProblemPanel, Waiting } from './problem';
import { SaveStatus, useAutosave } from './saving';
import { useStandardOf } from './standard-of';
import { toast } from './toasts';

const COMMENT_MOST = 4000;

// isNew: it was begun just now, and the reader goes on in it.
interface Given { draft: Evaluation; isNew: boolean; onDone: (released: Evaluation | null) => void; takeTheirs: () => void }
type Wish = Filled & { comment: string };

// The field of what was refused, by the name that it has here.
const named = (problem: Problem | null, sent: readonly { criterion_id: string }[]): Problem | null =>
  problem?.field ? { ...problem, field: fieldOf(problem.field, sent) } : problem;

function useDraft(draft: Evaluation, standard: Standard) {
  const sent = useRef<{ criterion_id: string }[]>([]);
  async function save(wish: Wish, revision: number): Promise<number> {
    const answers = answersOut(standard, wish);
    sent.current = answers;
    const body = { answers, comment: wish.comment.trim(), sample_id: draft.provenance?.sample_id || null };
    const saved = await call<SaveEvaluationResponse>('PUT', path('/api/v1/moments/{}/evaluation', draft.moment_id), { body, revision });
    return saved.evaluation?.revision ?? revision + 1;
  }
  const newest = async (): Promise<number> => (await ask<{ evaluation: Evaluation }>(path('/api/v1/evaluations/{}', draft.evaluation_id))).evaluation.revision;
  return { saving: useAutosave<Wish>(draft.evaluation_id, draft.revision, save, newest), sent };
}

function Form({ draft, isNew, standard, onDone, takeTheirs }: Given & { standard: Standard }) {
  const [wish, setWish] = useState<Wish>({ ...filledFrom(draft.results), comment: draft.comment });
  const [isDiscarding, setDiscarding] = useState(false);
  const { saving, sent } = useDraft(draft, standard);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => { if (isNew) form.current?.querySelector('input')?.focus(); }, []);
  const command = useCommand();
  const words = t().evaluation;
  const refused = command.problem ?? (saving.state.kind === 'failed' ? saving.state.problem : null);
  function change(part: Partial<Wish>): void {
    const next = { ...wish, ...part };
    setWish(next);
    command.clear();
    saving.edit(next);
  }
  async function release(event: Event): Promise<void> {
    event.preventDefault();
    const state = await saving.flush();
    if (state.kind === 'failed' || state.kind === 'stale') return;
    let released: Evaluation | null = null;
    const isDone = await command.run(async (key) => {
      released = (await call<{ evaluation: Evaluation }>('POST', path('/api/v1/evaluations/{}/release', draft.evaluation_id), { revision: saving.revision(), key })).evaluation;
    });
    if (!isDone) return;
    saving.stop();
    toast(words.released, draft.standard_title, null, 'good');
    onDone(released);
  }
  const isComplete = missingIn(standard.criteria, wish.answers, wish.comments).length === 0;
  return (
    <form ref={form} onSubmit={release} data-testid="evaluation-form">
      <Fields objections={objectionsOf(named(refused, sent.current))}>
        <Questions standard={standard} results={draft.results} filled={wish} onFilled={(filled) => change(filled)} />
        <TextField name="comment" label={words.overall} hint={words.overallHint} value={wish.comment} onValue={(comment) => change({ comment })} rows={3} most={COMMENT_MOST} />
      </Fields>
      <p class="hint">{words.releaseHint}</p>
      <ProblemPanel problem={command.problem} />
      <div class="form-end"><Standing standard={standard} filled={wish} canAct={words.complete} /><SaveStatus saving={saving as never} takeTheirs={takeTheirs} />
        <div class="buttons">
          <button type="submit" class="main-action" data-testid="release" disabled={command.isBusy || !isComplete}>{command.isBusy ? t().action.working : words.release}</button>
          <button type="button" class="danger" onClick={() => setDiscarding(true)}>{words.discard}…</button></div></div>
      {isDiscarding && <Confirm title={words.discardTitle} about={words.discardAbout} act={words.discard} onClose={() => setDiscarding(false)} onDone={() => { saving.stop(); onDone(null); }}
        work={async (key) => { saving.stop(); await call('DELETE', path('/api/v1/evaluations/{}', draft.evaluation_id), { revision: saving.revision(), key }); }} />}
    </form>
  );
}

export function EvaluationForm(given: Given) {
  const standard = useStandardOf(given.draft.standard_id, given.draft.standard_version);
  return (
    <section class="panel" aria-labelledby="own-evaluation-title" data-testid="own-evaluation">
      <h2 id="own-evaluation-title">{t().evaluation.yours} <span class="quiet small">{given.draft.standard_title}, {t().moment.version(given.draft.standard_version)}</span></h2>
      <p class="quiet small">{t().evaluation.yoursAbout}</p>
      {standard ? <Form {...given} standard={standard} /> : <Waiting problem={null} retry={() => undefined} />}
    </section>
  );
}

// The first save begins it: then the server has chosen the standard.
export function BeginEvaluation({ momentId, sampleId, onBegun }: { momentId: string; sampleId: string; onBegun: (draft: Evaluation) => void }) {
  const command = useCommand();
  async function begin(): Promise<void> {
    await command.run(async (key) => {
      const begun = await call<SaveEvaluationResponse>('PUT', path('/api/v1/moments/{}/evaluation', momentId), { body: { answers: [], sample_id: sampleId || null }, key });
      if (begun.evaluation) onBegun(begun.evaluation);
    });
  }
  return (
    <>
      <ProblemPanel problem={command.problem} />
      <button type="button" data-testid="evaluate" onClick={() => void begin()} disabled={command.isBusy}>{command.isBusy ? t().action.working : t().evaluation.begin}</button>
    </>
  );
}
