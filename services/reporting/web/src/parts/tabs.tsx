// Views of one thing beside each other; the arrow keys go from one to the next.
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export function Tabs<K extends string>({ label, tabs, at, onTab, children }: {
  label: string; tabs: readonly (readonly [K, string])[]; at: K; onTab: (key: K) => void; children: ComponentChildren;
}) {
  const id = useId();
  const bar = useRef<HTMLDivElement>(null);
  function move(e: KeyboardEvent): void {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const next = (tabs.findIndex(([k]) => k === at) + step + tabs.length) % tabs.length;
    onTab(tabs[next]![0]);
    bar.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    e.preventDefault();
  }
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} ref={bar} onKeyDown={move}>
        {tabs.map(([key, name]) => (
          <button key={key} type="button" role="tab" id={`${id}-${key}`} aria-selected={key === at} aria-controls={`${id}-panel`} tabIndex={key === at ? 0 : -1} onClick={() => onTab(key)}>{name}</button>))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${at}`}>{children}</div>
    </div>
  );
}
