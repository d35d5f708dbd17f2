// The state of the live floor: one snapshot from the server, then every update after it, each once.
import { batch, computed, signal } from '@preact/signals';
import {
  ApiError, getFloor, readJson, type Alert, type Candidate, type Floor, type Moment, type Person, type QueueFigures, type ServiceLevel,
  type State,
} from './api';
import { tell, tellStart, type LiveUpdate } from './bus';
import { now, serverNow, serverSaid } from './clock';
import { seqOf, type FeedMessage } from './feed';
import { openLive, type Live } from './live';

interface Beat {
  server_time: string;
  data_at: string | null;
  lag: Record<string, number | null>;
}

const ENDED_SHOWN_MS = 60_000;
const STALE_MS = 8_000;
const REFRESH_MS = 10_000;

export const moments = signal<ReadonlyMap<string, Moment>>(new Map());
export const people = signal<ReadonlyMap<string, Person>>(new Map());
export const alerts = signal<ReadonlyMap<string, Alert>>(new Map());
export const candidates = signal<ReadonlyMap<string, Candidate>>(new Map());
export const serviceLevel = signal<ServiceLevel | null>(null);
export const queueFigures = signal<QueueFigures[]>([]);
export const connection = signal<'starting' | 'open' | 'lost'>('starting');
export const failure = signal<ApiError | null>(null);
// The last moment that changed, for pages that show one.
export const changed = signal<{ moment_id: string; revision: number } | null>(null);
// Since when the board stands still; null: it moves.
const pausedAt = signal<number | null>(null);
export const isPaused = computed(() => pausedAt.value !== null);

// By the server's clock: everything that had happened by then is on this page.
const trueAt = signal(0);
export const dataAge = computed(() => (trueAt.value ? Math.max(0, now.value - trueAt.value) : null));
export const isStale = computed(
  () => connection.value !== 'open' || dataAge.value === null || dataAge.value > STALE_MS,
);

export const byState = computed(() => {
  const at = pausedAt.value ?? now.value;
  const groups: Record<State, Moment[]> = { started: [], waiting: [], ringing: [], talking: [], held: [], ended: [] };
  for (const m of moments.value.values()) {
    if (!m.state) continue;
    if (m.state === 'ended' && at - Date.parse(m.state_since ?? m.ended_at ?? '') > ENDED_SHOWN_MS) continue;
    groups[m.state].push(m);
  }
  for (const list of Object.values(groups))
    list.sort((a, b) => (a.state_since ?? '').localeCompare(b.state_since ?? '') || a.moment_id.localeCompare(b.moment_id));
  groups.ended.reverse();
  return groups;
});

export const longestWait = computed(() => {
  const first = [...byState.value.waiting, ...byState.value.ringing]
    .map(waitingSince)
    .filter((t): t is string => t !== null)
    .sort()[0];
  return first ? Math.max(0, now.value - Date.parse(first)) : null;
});

// Of the visit going on: when the customer came into the queue.
export function waitingSince(m: Moment): string | null {
  return m.visits.at(-1)?.entered_at ?? m.state_since;
}

export const openAlerts = computed(() =>
  [...alerts.value.values()].sort((a, b) => (b.raised_at ?? '').localeCompare(a.raised_at ?? '')),
);

let live: Live | null = null;
let seen = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let held: LiveUpdate[] = [];

function keyed<T>(items: readonly T[], key: (item: T) => string): Map<string, T> {
  return new Map(items.map((item) => [key(item), item]));
}
const personKey = (p: Person): string => p.person_id || `${p.source}\n${p.agent}`;

function take(floor: Floor): void {
  batch(() => {
    serverSaid(floor.server_time);
    moments.value = keyed(floor.moments, (m) => m.moment_id);
    people.value = keyed(floor.people, personKey);
    alerts.value = keyed(floor.alerts, (a) => a.alert_id);
    candidates.value = keyed(floor.candidates, (c) => c.candidate_id);
    takeFigures(floor);
    trueAt.value = Date.parse(floor.server_time);
    seen = seqOf(floor.position);
    failure.value = null;
  });
}

function takeFigures(floor: Floor): void {
  serviceLevel.value = floor.service_level;
  queueFigures.value = floor.queues;
}

function changedMap<T>(map: ReadonlyMap<string, T>, key: string, value: T | null): ReadonlyMap<string, T> {
  const copy = new Map(map);
  if (value === null) copy.delete(key);
  else copy.set(key, value);
  return copy;
}

function apply(update: LiveUpdate): void {
  if (update.moment) {
    const m = update.moment;
    // A record redriven from quarantine may carry an older picture than the one that is known.
    if (m.revision < (moments.value.get(m.moment_id)?.revision ?? 0)) return;
    const isGone = Boolean(m.merged_into);
    moments.value = changedMap(moments.value, m.moment_id, isGone ? null : m);
    changed.value = { moment_id: m.moment_id, revision: m.revision };
  }
  if (update.agent) people.value = changedMap(people.value, personKey(update.agent), update.agent);
  if (update.alert) {
    const isOpen = update.alert.state === 'raised' || update.alert.state === 'acknowledged';
    alerts.value = changedMap(alerts.value, update.alert.alert_id, isOpen ? update.alert : null);
  }
  if (update.candidate) {
    const isOpen = update.candidate.state === 'proposed';
    candidates.value = changedMap(candidates.value, update.candidate.candidate_id, isOpen ? update.candidate : null);
  }
  if (update.evaluation) changed.value = { moment_id: update.evaluation.moment_id, revision: -seen };
}

function onBeat(beat: Beat): void {
  serverSaid(beat.server_time);
  const lag = Object.values(beat.lag).some((n) => n === null || n > 0);
  const at = lag && beat.data_at ? Date.parse(beat.data_at) : Date.parse(beat.server_time);
  trueAt.value = Math.max(trueAt.value, at);
}

function onMessage(message: FeedMessage): void {
  if (message.kind === 'reset') return void start();
  if (message.kind === 'state') {
    connection.value = message.state === 'open' ? 'open' : 'lost';
    return;
  }
  batch(() => {
    if (message.kind === 'beat') return onBeat(JSON.parse(message.data) as Beat);
    if (message.seq <= seen) return;
    seen = message.seq;
    const update = readJson(message.data) as LiveUpdate;
    if (isPaused.value) held.push(update);
    else apply(update);
    trueAt.value = Math.max(trueAt.value, serverNow());
    tell(update);
  });
}

// Movement on the board can be stopped (WCAG 2.2.2); nothing is lost meanwhile.
export function setPaused(value: boolean): void {
  pausedAt.value = value ? now.value : null;
  if (value) return;
  const waiting = held;
  held = [];
  batch(() => waiting.forEach(apply));
}

// Moments that left the board long ago leave memory too.
function forgetEnded(): void {
  if (isPaused.value) return;
  const kept = [...moments.value].filter(
    ([, m]) => m.state !== 'ended' || serverNow() - Date.parse(m.state_since ?? '') < 2 * ENDED_SHOWN_MS,
  );
  if (kept.length < moments.value.size) moments.value = new Map(kept);
}

async function refreshFigures(): Promise<void> {
  clearTimeout(timer);
  forgetEnded();
  try {
    if (!document.hidden) takeFigures(await getFloor());
  } catch {
    // The feed itself tells that the server is away.
  }
  timer = setTimeout(refreshFigures, REFRESH_MS);
}

export async function start(): Promise<void> {
  live?.close();
  live = null;
  clearTimeout(timer);
  try {
    const floor = await getFloor();
    held = [];
    take(floor);
    tellStart();
    live = openLive(floor.position, onMessage);
    timer = setTimeout(refreshFigures, REFRESH_MS);
  } catch (error) {
    if (error instanceof ApiError) failure.value = error;
    connection.value = 'lost';
    timer = setTimeout(start, 3000);
  }
}

export function stop(): void {
  live?.close();
  live = null;
  clearTimeout(timer);
  connection.value = 'starting';
  moments.value = new Map();
  people.value = new Map();
  alerts.value = new Map();
  candidates.value = new Map();
}
