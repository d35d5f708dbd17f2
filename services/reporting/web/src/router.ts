// Where we are: the URL holds the whole view, so that a link shows the same thing to somebody else.
import { signal } from '@preact/signals';

export const place = signal(new URL(location.href));

export function go(path: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  place.value = new URL(location.href);
}

addEventListener('popstate', () => {
  place.value = new URL(location.href);
});

// Plain links stay plain links (new tab, copy address) and still do not reload the page.
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  go(link.href);
  scrollTo(0, 0);
});
