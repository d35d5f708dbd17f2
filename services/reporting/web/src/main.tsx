// The page: who is signed in, where we are, and the frame around it.
import { render } from 'preact';
import { effect, signal } from '@preact/signals';
import { ApiError, getUser, signOut, type User } from './api';
import { now, span } from './clock';
import * as floor from './floor';
import { place } from './router';
import { FloorPage } from './pages/floor';
import { LoginPage } from './pages/login';
import { MomentPage } from './pages/moment';
import { MomentsPage } from './pages/moments';
import { ReportPage } from './pages/report';
import './style.css';

const user = signal<User | null | undefined>(undefined);
const trouble = signal<string | null>(null);

type Theme = 'auto' | 'light' | 'dark';
const theme = signal<Theme>((localStorage.getItem('theme') as Theme | null) ?? 'auto');
effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
  localStorage.setItem('theme', theme.value);
});

async function enter(): Promise<void> {
  try {
    user.value = await getUser();
    trouble.value = null;
    await floor.start();
  } catch (error) {
    const status = error instanceof ApiError ? error.problem.status : 0;
    if (status === 401) user.value = null;
    else {
      trouble.value = 'The server does not answer. Trying again…';
      setTimeout(enter, 3000);
    }
  }
}

async function leave(): Promise<void> {
  floor.stop();
  await signOut().catch(() => undefined);
  user.value = null;
}

// A session that ran out shows as a 401 to the floor: back to the door.
effect(() => {
  if (floor.failure.value?.problem.status === 401) {
    floor.stop();
    user.value = null;
  }
});

const PAGES: [path: string, name: string][] = [
  ['/', 'Live floor'],
  ['/moments', 'Moments'],
  ['/report', 'Interval report'],
];

function DataAge() {
  const age = floor.dataAge.value;
  const state = floor.connection.value;
  const words =
    state === 'starting' ? 'connecting…'
    : state === 'lost' ? `connection lost, data ${span(age)} old`
    : floor.isStale.value ? `stale: data ${span(age)} old`
    : age !== null && age < 3000 ? 'live, data up to the second'
    : `live, data ${span(age)} old`;
  return (
    <span class={`age ${floor.isStale.value ? 'is-stale' : 'is-live'}`} data-testid="data-age" data-connection={state}>
      <span class="age-dot" aria-hidden="true" />
      {words}
    </span>
  );
}

// Said to screen readers when it changes, never with each tick.
function ConnectionNews() {
  const words = { starting: 'Connecting', open: 'Live', lost: 'Connection lost, trying again' }[floor.connection.value];
  return <p role="status" class="only-heard">{words}</p>;
}

function Frame({ who }: { who: User }) {
  const path = place.value.pathname;
  const id = /^\/moments\/([0-9a-f-]{36})$/.exec(path)?.[1];
  return (
    <>
      <a class="skip" href="#content">Skip to content</a>
      <header class="top">
        <a class="brand" href="/"><img src="/favicon.svg" alt="" width="26" height="26" />Moment</a>
        <nav aria-label="Pages">
          {PAGES.map(([to, name]) => (
            <a href={to} aria-current={path === to || (to === '/moments' && id) ? 'page' : undefined}>{name}</a>
          ))}
        </nav>
        <DataAge />
        <div class="me">
          <label>
            <span class="only-heard">Colours</span>
            <select value={theme.value} onChange={(e) => (theme.value = e.currentTarget.value as Theme)}>
              <option value="auto">Auto</option>
              <option value="light">Light</option>
              <option value="dark">Dark</option>
            </select>
          </label>
          <span class="who">{who.name || who.login}</span>
          <button type="button" onClick={leave}>Sign out</button>
        </div>
      </header>
      <ConnectionNews />
      <main id="content" tabIndex={-1}>
        {id ? <MomentPage key={id} id={id} />
        : path === '/moments' ? <MomentsPage />
        : path === '/report' ? <ReportPage />
        : path === '/' ? <FloorPage />
        : <section class="panel empty"><h1>There is no such page</h1><p><a href="/">Go to the live floor</a></p></section>}
      </main>
    </>
  );
}

function App() {
  if (trouble.value) return <p class="trouble" role="alert">{trouble.value}</p>;
  if (user.value === undefined) return <p class="trouble" role="status">Opening Moment…</p>;
  if (user.value === null) return <LoginPage onEntered={enter} />;
  return <Frame who={user.value} />;
}

void now;
void enter();
render(<App />, document.getElementById('app')!);
