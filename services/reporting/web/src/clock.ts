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

// 7 s, 1:05, 1:02:03
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}
