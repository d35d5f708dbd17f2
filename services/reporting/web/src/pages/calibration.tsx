// One calibration: answer blind, then see who said what and how far all agree.
import { useState } from 'preact/hooks';
import { call, path, type Problem } from '../api';
import { useLive } from '../bus';
import { dayTime, number, percent, t, word } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import { answersOut, fieldOf, Questions, Standing, type Filled } from '../parts/answers-form';
import { Confirm } from '../parts/confirm';
import { Buttons } from '../parts/dialog';
import { Fields, objectionsOf } from '../parts/form';
import { PageHead } from '../parts/page-head';
import { ProblemPanel, Waiting } from '../parts/problem';
import { Tabs } from '../parts/tabs';
import { toast } from '../parts/toasts';
import type { Calibration, GetCalibrationResponse, Standard } from '../proto';
import { missingIn } from '../scoring';
import { hasRole, isMe } from '../session';
import { answerText } from '../standard';

// Landis and Koch's words for kappa.
export function kappaWord(kappa: number): keyof ReturnType<typeof t>['calibration']['kappas'] {
  if (kappa <= 0) return 'none';
  return kappa <= 0.2 ? 'slight' : kappa <= 0.4 ? 'fair' : kappa <= 0.6 ? 'moderate' : kappa <= 0.8 ? 'substantial' : 'almost';
}

const isSubmitted = (c: Calibration, momentId: string): boolean => c.entries.some((e) => e.moment_id === momentId && isMe(e.user_id) && e.submitted_at !== null);
const placeOf = (c: Calibration, momentId: string): number => c.moment_ids.indexOf(momentId) + 1;

function Submit({ calibration, standard, momentId, onDone }: { calibration: Calibration; standard: Standard; momentId: string; onDone: () => void }) {
  const own = calibration.entries.find((e) => e.moment_id === momentId && isMe(e.user_id));
  const [filled, setFilled] = useState<Filled>({
    answers: new Map(own?.results.filter((r) => r.answer).map((r) => [r.criterion_id, r.answer])), comments: new Map(own?.results.filter((r) => r.comment).map((r) => [r.criterion_id, r.comment])),
  });
  const command = useCommand();
  const words = t().calibration;
  const sent = answersOut(standard, filled);
  const named: Problem | null = command.problem?.field ? { ...command.problem, field: fieldOf(command.problem.field, sent) } : command.problem;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run((key) => call('POST', path('/api/v1/calibrations/{}/submit', calibration.calibration_id), { body: { moment_id: momentId, answers: sent }, key }));
    if (!isDone) return;
    toast(words.submitted, '', null, 'good');
    onDone();
  }
  return (
    <form onSubmit={submit} data-testid="submit-form">
      <p><a href={`/moments/${momentId}`} target="_blank">{words.lookAt}</a></p>
      <Standing standard={standard} filled={filled} canAct={words.complete} />
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(named)}><Questions standard={standard} results={own?.results ?? []} filled={filled} onFilled={(f) => { setFilled(f); command.clear(); }} /></Fields>
      <Buttons busy={command.isBusy} act={own ? words.submitAgain : words.submit} disabled={missingIn(standard.criteria, filled.answers, filled.comments).length > 0} />
    </form>
  );
}

function Blind({ calibration, standard, reload }: { calibration: Calibration; standard: Standard; reload: () => void }) {
  const [at, setAt] = useState(calibration.moment_ids.find((m) => !isSubmitted(calibration, m)) ?? calibration.moment_ids[0] ?? '');
  const words = t().calibration;
  const next = (): void => { reload(); setAt(calibration.moment_ids.find((m) => m !== at && !isSubmitted(calibration, m)) ?? at); };
  return (
    <section class="panel" aria-labelledby="blind-title"><h2 id="blind-title">{words.yourAnswers}</h2><p class="quiet">{words.blind}</p>
      <Tabs label={words.moments} at={at} onTab={setAt} tabs={calibration.moment_ids.map((m) => [m, `${isSubmitted(calibration, m) ? '✓ ' : ''}${words.momentNo(placeOf(calibration, m))}`] as const)}>
        <Submit key={at} calibration={calibration} standard={standard} momentId={at} onDone={next} /></Tabs></section>
  );
}

const WIDTH = 600;
const ROW = 46;
const LEFT = 90;
const x = (score: number): number => LEFT + (score / 100) * (WIDTH - LEFT - 20);

// One row for each moment, one dot for each person; what lies together was seen alike.
function Scores({ calibration }: { calibration: Calibration }) {
  const words = t().calibration;
  const expert = calibration.participants.find((p) => p.expert)?.user_id;
  const height = calibration.moment_ids.length * ROW + 20;
  const of = (m: string) => calibration.entries.filter((e) => e.moment_id === m && e.final_score !== null);
  return (
    <figure class="scores" data-testid="scores">
      <div class="scroll" tabIndex={0} role="group" aria-label={words.picture}>
        <svg viewBox={`0 0 ${WIDTH} ${height}`} width={WIDTH} height={height} role="img" aria-label={words.picture}>
          {[0, 25, 50, 75, 100].map((s) => <g key={s}><line class="grid-line" x1={x(s)} x2={x(s)} y1="0" y2={height - 18} /><text x={x(s)} y={height - 4} text-anchor="middle">{s}</text></g>)}
          {calibration.moment_ids.map((m, i) => (
            <g key={m}><text x="0" y={i * ROW + ROW / 2 + 4}>{words.momentNo(i + 1)}</text>
              {of(m).map((e, j) => <circle key={e.user_id} class={e.user_id === expert ? 'is-expert' : ''} cx={x(e.final_score ?? 0)} cy={i * ROW + ROW / 2 + ((j % 3) - 1) * 9} r="6"><title>{`${e.name}: ${number(e.final_score ?? 0, 0)}`}</title></circle>)}</g>))}
        </svg></div>
      <table><thead><tr><th scope="col">{words.moment}</th>{calibration.participants.map((p) => <th scope="col" class="num" key={p.user_id}>{p.name}{p.expert && ` (${words.index})`}</th>)}</tr></thead>
        <tbody>{calibration.moment_ids.map((m, i) => (
          <tr key={m}><th scope="row"><a href={`/moments/${m}`}>{words.momentNo(i + 1)}</a></th>{calibration.participants.map((p) => {
            const entry = of(m).find((e) => e.user_id === p.user_id);
            return <td class="num" key={p.user_id}>{entry ? number(entry.final_score ?? 0, 0) : '–'}</td>;
          })}</tr>))}</tbody></table>
    </figure>
  );
}

function WhoSaid({ calibration, standard, criterionId }: { calibration: Calibration; standard: Standard; criterionId: string }) {
  const criterion = standard.criteria.find((c) => c.criterion_id === criterionId);
  const said = calibration.entries.flatMap((e) => e.results.filter((r) => r.criterion_id === criterionId && r.answer).map((r) => ({ e, r })));
  return (
    <details class="small"><summary>{t().calibration.whoSaid}</summary>
      <ul>{said.map(({ e, r }) => <li key={`${e.user_id}/${e.moment_id}`}>{t().calibration.momentNo(placeOf(calibration, e.moment_id))}, {e.name}: {criterion ? answerText(criterion, r.answer) : r.answer}{r.comment && <> – <q>{r.comment}</q></>}</li>)}</ul></details>
  );
}

function Results({ calibration, standard }: { calibration: Calibration; standard: Standard }) {
  const words = t().calibration;
  // What Moment measured itself is the same for all.
  const observed = new Set(standard.criteria.filter((c) => c.kind === 'observed').map((c) => c.criterion_id));
  return (
    <section class="panel" aria-labelledby="results-title" data-testid="results"><h2 id="results-title">{words.results}</h2>
      {calibration.score_pairs > 0 ? <p>{words.within(number(calibration.within_ten), number(calibration.score_pairs))}</p> : <p class="quiet">{words.noPairs}</p>}
      <Scores calibration={calibration} />
      <p class="hint">{words.kappaAbout}</p>
      <div class="scroll" tabIndex={0} role="group" aria-label={words.agreement}><table>
        <thead><tr><th scope="col">{t().moment.criterion}</th><th scope="col" class="num">{words.agreement}</th><th scope="col" class="num">{words.pairs}</th><th scope="col">{words.kappa}</th></tr></thead>
        <tbody>{calibration.agreements.filter((a) => a.pairs > 0 && observed.has(a.criterion_id)).map((a) => (
          <tr key={a.criterion_id} data-testid="agreement"><th scope="row">{a.title}<WhoSaid calibration={calibration} standard={standard} criterionId={a.criterion_id} /></th><td class="num">{percent(a.agreement)}</td><td class="num">{number(a.pairs)}</td>
            <td>{a.kappa === null ? <span class="quiet">{words.noKappa}</span> : <>{number(a.kappa)}: {words.kappas[kappaWord(a.kappa)]}</>}</td></tr>))}</tbody></table></div>
    </section>
  );
}

export function CalibrationPage({ id }: { id: string }) {
  const { data, problem, reload } = useLoaded<GetCalibrationResponse>(path('/api/v1/calibrations/{}', id));
  const [isCancelling, setCancelling] = useState(false);
  useLive('calibration', (c) => { if (c.calibration_id === id) reload(); });
  const words = t().calibration;
  const c = data?.calibration;
  const standard = data?.standard;
  const isMine = c?.participants.some((p) => isMe(p.user_id));
  return (
    <div class="calibration">
      <PageHead title={c?.title ?? words.title} about={words.about}><a class="button" href="/calibrations">{words.back}</a></PageHead>
      {!c || !standard ? <Waiting problem={problem} retry={reload} /> : (
        <>
          <section class="panel"><p><span class="badge" data-testid="calibration-state">{word(t().calibrationStates, c.state)}</span> {standard.title} · {c.state === 'closed' ? words.closedAt(dayTime(c.closed_at)) : words.until(dayTime(c.deadline_at))}</p>
            <ul class="plain rows">{c.participants.map((p) => <li key={p.user_id}><span>{p.name}{p.expert && ` (${words.index})`}</span><span class="quiet">{words.progress(p.submitted, c.moment_ids.length)}</span></li>)}</ul>
            {c.state === 'open' && (isMe(c.created_by) || hasRole('leader')) && <p><button type="button" class="danger" onClick={() => setCancelling(true)}>{words.cancelIt}…</button></p>}</section>
          {c.state === 'open' && isMine && <Blind calibration={c} standard={standard} reload={reload} />}
          {c.state === 'closed' && <Results calibration={c} standard={standard} />}
        </>)}
      {isCancelling && <Confirm title={words.cancelTitle} about={words.cancelAbout} act={words.cancelIt} onClose={() => setCancelling(false)} onDone={() => { setCancelling(false); reload(); }} work={(key) => call('POST', path('/api/v1/calibrations/{}/cancel', id), { key })} />}
    </div>
  );
}
