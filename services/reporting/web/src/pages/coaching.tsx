// Coaching sessions: planned, held, followed up.
import { useState } from 'preact/hooks';
import { query } from '../api';
import { useLive } from '../bus';
import { personName } from '../directory';
import { dayTime, t, word } from '../i18n';
import { usePages } from '../loading';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { blankPlan, PlanCoaching } from '../parts/plan-coaching';
import { Waiting } from '../parts/problem';
import { Tabs } from '../parts/tabs';
import type { CoachingSession, CoachingState } from '../proto';
import { go, place } from '../router';
import { hasRole } from '../session';

export function CoachingRow({ session }: { session: CoachingSession }) {
  return (
    <li data-testid="coaching"><a href={`/coaching/${session.session_id}`}>{session.topic}</a><span>{session.attendee_name || personName(session.attendee)}</span><span class="quiet">{session.coach_name}</span>
      <span class="badge">{word(t().coachingStates, session.state)}</span><time dateTime={session.planned_at ?? ''}>{dayTime(session.held_at ?? session.planned_at)}</time></li>
  );
}

type View = 'all' | CoachingState;

export function CoachingPage() {
  const { searchParams } = place.value;
  const attendee = searchParams.get('attendee') ?? '';
  const [isPlanning, setPlanning] = useState(searchParams.has('plan'));
  const view = (searchParams.get('state') ?? 'all') as View;
  const list = usePages<CoachingSession>(`/api/v1/coaching${query({ state: view === 'all' ? '' : view, attendee, limit: 50 })}`, (s) => s.session_id);
  const take = (s: CoachingSession): void => { if (!attendee || s.attendee === attendee) list.put(s.session_id, view === 'all' || s.state === view ? s : null); };
  useLive('coaching', take);
  const words = t().coaching;
  const tabs: [View, string][] = [['all', words.all], ['planned', t().coachingStates.planned], ['held', t().coachingStates.held], ['followed_up', t().coachingStates.followed_up], ['cancelled', t().coachingStates.cancelled]];
  const moment = searchParams.get('moment_id');
  return (
    <div class="coaching">
      <PageHead title={t().pages.coaching} about={words.about}>
        {hasRole('leader', 'coach') && <button type="button" class="main-action" data-testid="plan-coaching" onClick={() => setPlanning(true)}>{words.plan}</button>}</PageHead>
      <Tabs label={words.which} tabs={tabs} at={view} onTab={(v) => go(`/coaching${query({ state: v === 'all' ? '' : v, attendee })}`, true)}>
        {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <div class="panel empty"><p>{hasRole('leader', 'coach') ? words.none : words.noneMine}</p></div>
          : <ul class="plain rows panel">{list.items.map((s) => <CoachingRow key={s.session_id} session={s} />)}</ul>}
        <More of={list} />
      </Tabs>
      {isPlanning && <PlanCoaching given={blankPlan({ attendee, moment_ids: moment ? [moment] : [] })} onClose={() => setPlanning(false)} onDone={(s) => go(`/coaching/${s.session_id}`)} />}
    </div>
  );
}
