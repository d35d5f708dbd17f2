// An agent's own page: what was said to them, how their day went, what is expected, what was agreed.
import { query, type Evaluation, type Moment } from '../api';
import { useLive } from '../bus';
import { dayTime, NO_VALUE, span, t, word } from '../i18n';
import { useLoaded, usePages } from '../loading';
import { LivingEvaluation } from '../parts/disputes';
import { isByPerson, scoreText } from '../parts/evaluation';
import { More } from '../parts/more';
import { NoteItem } from '../parts/note';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import { TellStory } from '../parts/story';
import type { CoachingSession, ListStoryRequestsResponse, Note } from '../proto';
import { isAboutMe, user } from '../session';

const midnight = (): string => { const d = new Date(); d.setHours(0, 0, 0, 0); return d.toISOString(); };

// Notes to the reader that wait for a word, and praise; a note that arrives shows at once.
function Feedback({ me }: { me: string }) {
  const list = usePages<Note>(`/api/v1/notes${query({ receiver: me, unacknowledged: true, limit: 20 })}`, (n) => n.note_id);
  // What was answered just now stays in sight.
  useLive('note', (n) => { if (isAboutMe(n.receiver) && (!n.acknowledged_at || list.items?.some((x) => x.note_id === n.note_id))) list.put(n.note_id, n); });
  const words = t().mine;
  return (
    <section class="panel" aria-labelledby="feedback-title" data-testid="my-feedback">
      <h2 id="feedback-title">{words.feedback}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.noFeedback}</p>
        : <ul class="plain" aria-live="polite">{list.items.map((n) => <NoteItem key={n.note_id} note={n} withMoment onChanged={(x) => list.put(x.note_id, x)} />)}</ul>}
      <More of={list} />
      <p class="small"><a href={`/notes${query({ receiver: me })}`}>{words.allNotes}</a></p>
    </section>
  );
}

function Praise({ me }: { me: string }) {
  const list = usePages<Note>(`/api/v1/notes${query({ receiver: me, kind: 'praise', limit: 5 })}`, (n) => n.note_id);
  useLive('note', (n) => { if (isAboutMe(n.receiver) && n.kind === 'praise') list.put(n.note_id, n); });
  const words = t().mine;
  return (
    <section class="panel" aria-labelledby="praise-title" data-testid="my-praise">
      <h2 id="praise-title">{words.praise}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.noPraise}</p>
        : <ul class="plain">{list.items.map((n) => (
          <li key={n.note_id}><blockquote><p class="wrap">{n.text}</p><footer>{n.giver_name}, <a href={`/moments/${n.moment_id}`}>{dayTime(n.given_at)}</a></footer></blockquote></li>))}</ul>}
    </section>
  );
}

function Stories() {
  const { data, problem, reload } = useLoaded<ListStoryRequestsResponse>('/api/v1/story-requests');
  useLive('post', (p) => { if (isAboutMe(p.about)) reload(); });
  const words = t().mine;
  if (data && data.requests.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="stories-title" data-testid="my-stories">
      <h2 id="stories-title">{words.stories}</h2>
      {!data ? <Waiting problem={problem} retry={reload} /> : data.requests.map((r) => (
        <article key={r.post_id} data-testid="story-request"><p>{words.storyAsked(r.praised_by_name)}</p><blockquote><p class="wrap">{r.praise_text}</p></blockquote>
          <TellStory praiseId={r.post_id} onTold={reload} /></article>))}
    </section>
  );
}

const isOpenForMe = (e: Evaluation): boolean => isByPerson(e) && !e.withdrawn && (!e.acknowledged_at || e.state === 'disputed');

// Moments of the day with what they scored, and what people evaluated.
function useEvaluations(me: string) {
  const list = usePages<Evaluation>(`/api/v1/evaluations${query({ person_id: me, limit: 100 })}`, (e) => e.evaluation_id);
  useLive('evaluation', (e) => { if (isAboutMe(e.person_id)) list.put(e.evaluation_id, e.withdrawn ? null : e); });
  return list;
}

function Evaluations({ list }: { list: ReturnType<typeof useEvaluations> }) {
  const words = t().mine;
  const open = list.items?.filter(isOpenForMe) ?? [];
  return (
    <section class="panel" aria-labelledby="evaluations-title" data-testid="my-evaluations">
      <h2 id="evaluations-title">{words.evaluations}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : open.length === 0 ? <p class="quiet">{words.noEvaluations}</p>
        : open.map((e) => (
          <details key={e.evaluation_id} data-testid="my-evaluation"><summary><strong>{e.standard_title}: {scoreText(e.final_score)}</strong> <span class="quiet small">{t().evaluation.by(e.evaluator_name, dayTime(e.released_at))}</span></summary>
            <LivingEvaluation e={e} onChanged={(x) => list.put(x.evaluation_id, x)} /><p class="small"><a href={`/moments/${e.moment_id}`}>{t().drill.moment}</a></p></details>))}
    </section>
  );
}

function Today({ me, evaluations }: { me: string; evaluations: readonly Evaluation[] }) {
  const list = usePages<Moment>(`/api/v1/moments${query({ person: me, from: midnight(), limit: 20 })}`, (m) => m.moment_id);
  useLive('moment', (m) => { if (isAboutMe(m.person_id ?? '')) list.put(m.moment_id, m.merged_into ? null : m); });
  const words = t().mine;
  const scoreOf = (id: string, byPerson: boolean): string => {
    const found = evaluations.find((e) => e.moment_id === id && isByPerson(e) === byPerson);
    return found ? scoreText(found.final_score) : NO_VALUE;
  };
  return (
    <section class="panel" aria-labelledby="moments-title" data-testid="my-moments">
      <h2 id="moments-title">{words.moments}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.noMoments}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="moments-title"><table>
          <thead><tr><th scope="col">{t().moments.started}</th><th scope="col">{t().moment.queue}</th><th scope="col">{t().moment.outcome}</th><th scope="col" class="num">{t().moment.talk}</th><th scope="col" class="num">{words.measured}</th><th scope="col" class="num">{words.evaluated}</th></tr></thead>
          <tbody>{list.items.map((m) => (
            <tr key={m.moment_id}><th scope="row"><a href={`/moments/${m.moment_id}`}>{dayTime(m.started_at)}</a></th><td>{m.queue || NO_VALUE}</td>
              <td>{m.state === 'ended' ? word(t().outcomes, m.outcome) : m.state ? t().states[m.state] : NO_VALUE}</td><td class="num">{span(m.talk_ms)}</td><td class="num">{scoreOf(m.moment_id, false)}</td><td class="num">{scoreOf(m.moment_id, true)}</td></tr>))}</tbody></table></div>)}
      <More of={list} />
    </section>
  );
}

function Coaching({ me }: { me: string }) {
  const list = usePages<CoachingSession>(`/api/v1/coaching${query({ attendee: me, limit: 5 })}`, (s) => s.session_id);
  useLive('coaching', (s) => { if (isAboutMe(s.attendee)) list.put(s.session_id, s); });
  const words = t().mine;
  return (
    <section class="panel" aria-labelledby="coaching-title" data-testid="my-coaching">
      <h2 id="coaching-title">{t().pages.coaching}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.noCoaching}</p>
        : <ul class="plain rows">{list.items.map((s) => (
          <li key={s.session_id}><a href={`/coaching/${s.session_id}`}>{s.topic}</a><span class="quiet">{s.coach_name}</span><span class="badge">{word(t().coachingStates, s.state)}</span>
            <time dateTime={s.planned_at ?? ''}>{dayTime(s.held_at ?? s.planned_at)}</time></li>))}</ul>}
    </section>
  );
}

function Mine({ me }: { me: string }) {
  const evaluations = useEvaluations(me);
  const words = t().mine;
  return (
    <div class="panels is-wide">
      <div><Stories /><Feedback me={me} /><Evaluations list={evaluations} /></div>
      <div><Praise me={me} /><Today me={me} evaluations={evaluations.items ?? []} /><Coaching me={me} />
        <section class="panel" aria-labelledby="standard-title"><h2 id="standard-title">{t().pages.myStandard}</h2><p><a href="/standards">{words.standard}</a></p></section></div>
    </div>
  );
}

export function MePage() {
  const words = t().mine;
  const me = user.value?.person_id ?? '';
  return (
    <div class="mine">
      <PageHead title={words.title} about={words.about} />
      {me ? <Mine me={me} /> : <div class="panel empty"><p>{words.nobody}</p></div>}
    </div>
  );
}
