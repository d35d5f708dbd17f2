// What people say about one moment: evaluations and notes, both live.
import { useEffect, useRef, useState } from 'preact/hooks';
import { query, type Evaluation, type Moment, type MomentDetail, type Problem } from '../api';
import { useLive } from '../bus';
import { t } from '../i18n';
import { usePages } from '../loading';
import type { Note } from '../proto';
import { place } from '../router';
import { hasRole, isAboutMe, isMe } from '../session';
import { LivingEvaluation } from './disputes';
import { BeginEvaluation, EvaluationForm } from './evaluate';
import { isByPerson } from './evaluation';
import { More } from './more';
import { GiveNote, NoteItem, type Answering } from './note';
import { Waiting } from './problem';

export function Away({ problem }: { problem: Problem | null }) {
  return <p class="problem">{problem?.detail ?? t().moment.away} {t().moment.rest}</p>;
}

const isDraft = (e: Evaluation): boolean => e.state === 'draft';

// The reader's own draft: kept as it is being edited, whatever is read again meanwhile.
function useOwnDraft(evaluations: readonly Evaluation[]) {
  const [held, setHeld] = useState<{ draft: Evaluation; edition: number } | null>(null);
  const over = useRef(new Set<string>());
  const found = evaluations.find((e) => isDraft(e) && isMe(e.evaluator));
  useEffect(() => {
    if (!held && found && !over.current.has(`${found.evaluation_id}/${found.revision}`)) setHeld({ draft: found, edition: 0 });
  }, [found?.evaluation_id, found?.revision]);
  const hold = (draft: Evaluation | null, finished?: Evaluation): void => {
    // What was just released or discarded is still in what was read before.
    if (finished && found) over.current.add(`${found.evaluation_id}/${found.revision}`);
    setHeld((old) => (draft ? { draft, edition: (old?.edition ?? 0) + 1 } : null));
  };
  return { held, hold };
}

const mayEvaluate = (m: Moment, evaluations: readonly Evaluation[]): boolean =>
  hasRole('leader', 'coach') && m.state === 'ended' && !m.merged_into && !isAboutMe(m.person_id ?? '') && !evaluations.some((e) => isMe(e.evaluator) && !e.withdrawn);

function NoEvaluation({ m }: { m: Moment }) {
  const words = t().moment;
  return <p class="quiet">{m.state === 'ended' ? <>{words.noStandard} {hasRole('leader', 'coach') && <a href="/standards">{words.declare}</a>}</> : words.notYet}</p>;
}

// What was answered to the reader's own act is newer than what was read before it.
const withOwn = (items: readonly Evaluation[], own: Evaluation | null): Evaluation[] =>
  !own || items.some((e) => e.evaluation_id === own.evaluation_id && e.revision >= own.revision) ? [...items] : [...items.filter((e) => e.evaluation_id !== own.evaluation_id), own];

export function Evaluations({ detail, reload }: { detail: MomentDetail; reload: () => void }) {
  const { moment, evaluations } = detail;
  const [own, setOwn] = useState<Evaluation | null>(null);
  const items = withOwn(evaluations.items ?? [], own).filter((e) => !e.withdrawn);
  const { held, hold } = useOwnDraft(items);
  const released = items.filter((e) => !isDraft(e)).sort((a, b) => Number(isByPerson(a)) - Number(isByPerson(b)));
  const words = t().moment;
  const changed = (e: Evaluation): void => { setOwn(e); reload(); };
  const done = (finished: Evaluation | null): void => { hold(null, finished ?? held?.draft); if (finished) setOwn(finished); reload(); };
  return (
    <>
      {held && <EvaluationForm key={`${held.draft.evaluation_id}/${held.edition}`} draft={held.draft} isNew={held.edition > 0} onDone={done} takeTheirs={() => { hold(null); reload(); }} />}
      <section class="panel" aria-labelledby="standard-title" data-testid="evaluations">
        <h2 id="standard-title">{words.against}</h2>
        {evaluations.items === null ? <Away problem={evaluations.problem} /> : released.length === 0 ? <NoEvaluation m={moment} />
          : released.map((e) => <LivingEvaluation key={e.evaluation_id} e={e} onChanged={changed} />)}
        {!held && evaluations.items !== null && mayEvaluate(moment, items) && (
          <><p class="quiet small">{t().evaluation.beginAbout}</p><BeginEvaluation momentId={moment.moment_id} sampleId={place.value.searchParams.get('sample_id') ?? ''} onBegun={(draft) => hold(draft)} /></>)}
      </section>
    </>
  );
}

// The address says what a note answers: from an alert, or from a candidate.
function askedFor(): Answering & { isOpen: boolean } {
  const { searchParams } = place.value;
  const kind = searchParams.get('note');
  return {
    isOpen: kind !== null, kind: kind === 'improvement' || kind === 'praise' ? kind : null,
    alertId: searchParams.get('alert_id') ?? '', candidateId: searchParams.get('candidate_id') ?? '',
  };
}

export function Notes({ detail }: { detail: MomentDetail }) {
  const { moment } = detail;
  const [answering, setAnswering] = useState(askedFor);
  const list = usePages<Note>(`/api/v1/notes${query({ moment_id: moment.moment_id })}`, (n) => n.note_id);
  const put = (note: Note): void => list.put(note.note_id, note);
  useLive('note', (n) => { if (n.moment_id === moment.moment_id) put(n); });
  const criteria = [...new Map((detail.evaluations.items ?? []).flatMap((e) => e.results).map((r) => [r.criterion_id, r.title] as const))];
  const words = t().note;
  return (
    <section class="panel" aria-labelledby="notes-title" data-testid="notes">
      <h2 id="notes-title">{words.title}</h2>
      {answering.isOpen && hasRole('leader', 'coach') ? (
        <GiveNote moment={moment} criteria={criteria} answering={answering} onCancel={() => setAnswering({ ...answering, isOpen: false })}
          onGiven={(note) => { put(note); setAnswering({ isOpen: false, kind: null, alertId: '', candidateId: '' }); }} />)
        : hasRole('leader', 'coach') && !isAboutMe(moment.person_id ?? '') && <p><button type="button" data-testid="give-note" onClick={() => setAnswering({ ...answering, isOpen: true })}>{words.give}</button></p>}
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{hasRole('leader', 'coach') ? words.none : words.noneMine}</p>
        : <ul class="plain">{list.items.map((n) => <NoteItem key={n.note_id} note={n} onChanged={put} />)}</ul>}
      <More of={list} />
      {hasRole('leader', 'coach') && moment.person_id && !isAboutMe(moment.person_id) && <p class="small"><a href={`/coaching${query({ plan: 1, attendee: moment.person_id, moment_id: moment.moment_id })}`}>{t().coaching.plan}</a></p>}
    </section>
  );
}
