// Where we are: the URL holds the whole view, so that a link shows the same thing to somebody else.
import { signal } from '@preact/signals';

export const place = signal(new URL(location.href));

// The heading of the page that was asked for takes the focus when it appears (parts/page-head.tsx).
let isArriving = false;

export function takeArrival(): boolean {
  const was = isArriving;
  isArriving = false;
  return was;
}

function arrive(): void {
  const next = new URL(location.href);
  if (next.pathname !== place.value.pathname) isArriving = true;
  place.value = next;
}

export function go(path: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  arrive();
}

// Where one is by default: nobody went anywhere, the focus stays.
export function begin(path: string): void {
  history.replaceState(null, '', path);
  place.value = new URL(location.href);
}

addEventListener('popstate', arrive);

// Plain links stay plain links (new tab, copy address) and still do not reload the page.
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return;
  // The skip link and its like: the browser's own business.
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
  event.preventDefault();
  go(link.href);
  scrollTo(0, 0);
});
