// The server's now, ticking each second while the page is visible, and durations in figures.
import { signal } from '@preact/signals';

let skew = 0;
// Milliseconds since the epoch by the server's clock.
export const now = signal(Date.now());

export function serverSaid(time: string): void {
  const at = Date.parse(time);
  if (!Number.isNaN(at)) skew = at - Date.now();
  tick();
}

export const serverNow = (): number => Date.now() + skew;

function tick(): void {
  now.value = serverNow();
}
setInterval(() => {
  if (!document.hidden) tick();
}, 1000);
document.addEventListener('visibilitychange', tick);

export const since = (time: string | null): number | null =>
  time === null ? null : Math.max(0, now.value - Date.parse(time));
