// Autosave as a part of a page: the hook, and the line that says how it stands.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Autosave, type SaveState, type Saver } from '../autosave';
import { clockTime, t } from '../i18n';
import { headline } from './problem';

export interface Autosaving<T> {
  state: SaveState;
  edit: (value: T) => void;
  flush: () => Promise<SaveState>;
  keepMine: () => void;
  revision: () => number;
  stop: () => void;
}

// One thing being edited, for as long as `id` is the same.
export function useAutosave<T>(id: string, revision: number, save: Saver<T>['save'], newest: Saver<T>['newest']): Autosaving<T> {
  const [state, setState] = useState<SaveState>({ kind: 'clean' });
  const given = useRef({ save, newest });
  given.current = { save, newest };
  const kept = useRef<{ id: string; saver: Autosave<T> } | null>(null);
  if (kept.current?.id !== id) {
    void kept.current?.saver.flush();
    kept.current = {
      id,
      saver: new Autosave<T>(revision, {
        save: (value, at) => given.current.save(value, at), newest: () => given.current.newest(), changed: setState,
      }),
    };
  }
  const saver = kept.current.saver;
  // Who leaves takes nothing unsaved along; who closes the tab is asked first.
  useEffect(() => {
    const ask = (e: BeforeUnloadEvent): void => {
      if (saver.state.kind !== 'clean' && saver.state.kind !== 'saved') e.preventDefault();
    };
    addEventListener('beforeunload', ask);
    return () => {
      removeEventListener('beforeunload', ask);
      void saver.flush();
    };
  }, [saver]);
  return {
    state, edit: (v) => saver.edit(v), flush: () => saver.flush(), keepMine: () => void saver.keepMine(), revision: () => saver.revision, stop: () => saver.stop(),
  };
}

export function SaveStatus({ saving, takeTheirs }: { saving: Autosaving<never>; takeTheirs: () => void }) {
  const words = t().saving;
  const { state } = saving;
  if (state.kind === 'stale')
    return (
      <div class="problem-panel" role="alert">
        <p><strong>{words.stale}</strong></p><p>{words.staleHint}</p>
        <div class="buttons"><button type="button" onClick={takeTheirs}>{words.takeTheirs}</button><button type="button" onClick={saving.keepMine}>{words.keepMine}</button></div>
      </div>);
  if (state.kind === 'failed')
    return (
      <div class="problem-panel" role="alert">
        <p><strong>{words.failed}: {headline(state.problem)}</strong></p>{state.problem.detail && <p>{state.problem.detail}</p>}
        <button type="button" onClick={() => void saving.flush()}>{t().action.retry}</button>
      </div>);
  const said = state.kind === 'saved' ? words.saved(clockTime(state.at)) : words[state.kind];
  return <p class={`saving is-${state.kind}`} role="status" data-testid="saving">{said}</p>;
}
