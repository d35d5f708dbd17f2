// What the live feed brings, given to whoever asked for its kind: `on('note', (note) => ...)`.
import { useEffect } from 'preact/hooks';
import type { Moment, Person } from './api';
import type { LiveUpdate as Sent } from './proto';

export type LiveUpdate = Partial<Omit<Sent, 'moment' | 'agent'>> & { moment?: Moment | null; agent?: Person | null };
type Kinds = Omit<LiveUpdate, 'site' | 'team_id' | 'person_ids' | 'name' | 'audience' | 'author_id'>;
export type Kind = keyof Kinds;
export type Said<K extends Kind> = NonNullable<Kinds[K]>;

const listeners = new Map<string, Set<(item: never) => void>>();
// A page that shows something must look again after these: the feed began anew, what was between is unknown.
const starters = new Set<() => void>();

export function on<K extends Kind>(kind: K, fn: (item: Said<K>) => void): () => void {
  const set = listeners.get(kind) ?? new Set();
  listeners.set(kind, set);
  set.add(fn);
  return () => set.delete(fn);
}

export function onStart(fn: () => void): () => void {
  starters.add(fn);
  return () => starters.delete(fn);
}

export function tell(update: LiveUpdate): void {
  for (const [kind, set] of listeners) {
    const item = update[kind as Kind];
    if (item) for (const fn of [...set]) fn(item as never);
  }
}

export function tellStart(): void {
  for (const fn of [...starters]) fn();
}

// For as long as the component is there. fn may be a new one each time.
export function useLive<K extends Kind>(kind: K, fn: (item: Said<K>) => void): void {
  useEffect(() => on(kind, fn));
}
