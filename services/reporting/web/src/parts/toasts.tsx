// News for the reader, in a corner: said once by screen readers, gone after a while unless it is being read.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { newId } from '../api';
import { t } from '../i18n';

interface Toast { id: string; title: string; text: string; href: string | null; tone: 'good' | 'plain' | 'bad' }

const SHOWN = 4;
const NEWS_SHOWN_MS = 20_000;
// That one's own act is done: the page shows it too.
const DONE_SHOWN_MS = 8_000;
const toasts = signal<Toast[]>([]);

export function toast(title: string, text = '', href: string | null = null, tone: Toast['tone'] = 'plain'): void {
  toasts.value = [...toasts.value, { id: newId(), title, text, href, tone }].slice(-SHOWN);
}

export const forgetToasts = (): void => { toasts.value = []; };

const drop = (id: string): void => { toasts.value = toasts.value.filter((x) => x.id !== id); };

function One({ it }: { it: Toast }) {
  const [isRead, setRead] = useState(false);
  useEffect(() => {
    if (isRead) return undefined;
    const timer = setTimeout(() => drop(it.id), it.href ? NEWS_SHOWN_MS : DONE_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isRead]);
  return (
    <li class={`toast is-${it.tone}`} data-testid="toast" onMouseEnter={() => setRead(true)} onMouseLeave={() => setRead(false)} onFocusIn={() => setRead(true)} onFocusOut={() => setRead(false)}>
      <div><strong>{it.title}</strong>{it.text && <p>{it.text}</p>}</div>
      <div class="buttons">{it.href && <a href={it.href} onClick={() => drop(it.id)}>{t().frame.open}</a>}
        <button type="button" class="plain-button" onClick={() => drop(it.id)} aria-label={`${t().frame.dismiss}: ${it.title}`}>×</button></div>
    </li>
  );
}

export function Toasts() {
  return (
    <section aria-label={t().frame.news} class="toasts" role="status" aria-live="polite">
      <ul class="plain">{toasts.value.map((it) => <One key={it.id} it={it} />)}</ul>
    </section>
  );
}
