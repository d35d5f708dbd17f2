// A question that has to be answered before one goes on: the browser's own modal dialog keeps the focus
// in it, closes with Escape, and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';

export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog ref={box} class={wide ? 'is-wide' : ''} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose(); }}>
      <div class="dialog-head"><h2 id={id}>{title}</h2><button type="button" class="plain-button" aria-label={t().action.close} onClick={onClose}>×</button></div>
      {children}
    </dialog>
  );
}

// The last line of a form: do it, or not.
export function Buttons({ busy, act, onCancel, disabled }: { busy: boolean; act: string; onCancel?: (() => void) | undefined; disabled?: boolean }) {
  return (
    <div class="buttons">
      <button type="submit" class="main-action" disabled={busy || disabled}>{busy ? t().action.working : act}</button>
      {onCancel && <button type="button" onClick={onCancel}>{t().action.cancel}</button>}
    </div>
  );
}
