// What a page reads and what it sends: loading, failing, busy, done.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, newId, problemIn, type Page, type Problem } from './api';
import { onStart } from './bus';

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  reload: () => void;
  set: (data: T) => void;
}

// An answer of the API; null as address: nothing to ask yet. What was there stays while it is asked again.
export function useLoaded<T>(address: string | null): Loaded<T> {
  const [data, set] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => set(null), [address]);
  useEffect(() => {
    let isGone = false;
    if (address !== null)
      ask<T>(address).then(
        (answer) => { if (!isGone) { set(answer); setProblem(null); } },
        (error: unknown) => { if (!isGone) setProblem(problemIn(error)); },
      );
    return () => { isGone = true; };
  }, [address, turn]);
  useEffect(() => onStart(reload), [reload]);
  return { data, problem, reload, set };
}

export interface Paged<T> {
  items: T[] | null;
  problem: Problem | null;
  isMore: boolean;
  more: () => void;
  reload: () => void;
  // The item is now this one, a new one stands first; null: it is gone.
  put: (key: string, item: T | null) => void;
}

// A list that comes in pages; `keyOf` tells which item is which.
export function usePages<T>(address: string | null, keyOf: (item: T) => string): Paged<T> {
  const [items, setItems] = useState<T[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asked = useRef(0);

  const load = useCallback((cursor: string | null) => {
    if (address === null) return;
    const mine = ++asked.current;
    const separator = address.includes('?') ? '&' : '?';
    ask<Page<T>>(cursor ? `${address}${separator}cursor=${encodeURIComponent(cursor)}` : address).then(
      (page) => {
        if (mine !== asked.current) return;
        setItems((old) => (cursor && old ? [...old, ...page.items] : page.items));
        setNext(page.next || null);
        setProblem(null);
      },
      (error: unknown) => { if (mine === asked.current) setProblem(problemIn(error)); },
    );
  }, [address]);

  useEffect(() => { setItems(null); load(null); }, [load]);
  const reload = useCallback(() => load(null), [load]);
  useEffect(() => onStart(reload), [reload]);
  const put = useCallback((key: string, item: T | null) => setItems((old) => {
    if (!old) return old;
    const at = old.findIndex((o) => keyOf(o) === key);
    if (item === null) return old.filter((_, i) => i !== at);
    return at < 0 ? [item, ...old] : old.map((o, i) => (i === at ? item : o));
  }), []);
  return { items, problem, isMore: next !== null, more: () => load(next), reload, put };
}

export interface Command {
  isBusy: boolean;
  problem: Problem | null;
  // True when it was done. The key makes that a second press after a lost answer has no second effect.
  run: (work: (key: string) => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useCommand(): Command {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const key = useRef(newId());
  const run = async (work: (key: string) => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    try {
      await work(key.current);
      key.current = newId();
      setProblem(null);
      return true;
    } catch (error) {
      const found = problemIn(error);
      // Refused is answered; without an answer nobody knows, and the same key asks again.
      if (found.status >= 400 && found.status < 500) key.current = newId();
      setProblem(found);
      // To the field that was refused, once it is marked.
      if (found.field) setTimeout(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), 50);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run, clear: () => setProblem(null) };
}
