// The reader's language: words, dates and numbers. English is part of the page, others are loaded when chosen.
import { signal } from '@preact/signals';
import { en, type Words } from './words/en';

export type Language = 'en' | 'de';
export const LANGUAGES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

const spoken = signal<{ language: Language; words: Words }>({ language: 'en', words: en });

// Read while rendering, it renders again when the language changes.
export const t = (): Words => spoken.value.words;
export const language = (): Language => spoken.value.language;

function chosen(): Language {
  const kept = localStorage.getItem('language');
  if (kept && kept in LANGUAGES) return kept as Language;
  const first = navigator.languages.map((l) => l.slice(0, 2)).find((l) => l in LANGUAGES);
  return (first as Language | undefined) ?? 'en';
}

export async function speak(next: Language): Promise<void> {
  const words = next === 'de' ? (await import('./words/de')).de : en;
  document.documentElement.lang = next;
  spoken.value = { language: next, words };
}

export function chooseLanguage(next: Language): void {
  localStorage.setItem('language', next);
  void speak(next);
}

export const speakReadersLanguage = (): Promise<void> => speak(chosen());

// "en" alone would write American dates for a British reader.
const locale = (): string => navigator.languages.find((l) => l.startsWith(language())) ?? language();

const formats = new Map<string, unknown>();
function once<T>(kind: string, options: object, make: (locale: string) => T): T {
  const key = `${locale()} ${kind} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, make(locale()));
  return formats.get(key) as T;
}

export const NO_VALUE = '–';

export function showDate(time: string | number | null | undefined, options: Intl.DateTimeFormatOptions): string {
  const date = time === null || time === undefined || time === '' ? null : new Date(time);
  if (!date || Number.isNaN(date.getTime())) return NO_VALUE;
  return once('date', options, (l) => new Intl.DateTimeFormat(l, options)).format(date);
}
export const clockTime = (time: string | number | null): string => showDate(time, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const dayTime = (time: string | number | null): string =>
  showDate(time, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const day = (time: string | number | null): string => showDate(time, { year: 'numeric', month: 'short', day: 'numeric' });
// A day without a time (YYYY-MM-DD) is the same day everywhere.
export const plainDay = (date: string): string => showDate(`${date}T00:00:00Z`, { month: 'short', day: 'numeric', timeZone: 'UTC' });

export const number = (value: number, digits = 2): string =>
  once('number', { digits }, (l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })).format(value);
export const percent = (value: number | null | undefined, digits = 0): string =>
  value === null || value === undefined ? t().noData
  : once('percent', { digits }, (l) => new Intl.NumberFormat(l, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits })).format(value);
export const list = (items: readonly string[]): string => once('list', {}, (l) => new Intl.ListFormat(l, { type: 'conjunction' })).format(items);

// "3 days ago", to the largest unit that says enough.
export function ago(time: string | null, now: number): string {
  if (time === null) return NO_VALUE;
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const [unit, size] = units.find(([, s]) => Math.abs(seconds) >= s) ?? ['second', 1];
  return once('ago', {}, (l) => new Intl.RelativeTimeFormat(l, { numeric: 'auto' })).format(Math.trunc(seconds / size), unit);
}

// 7 s, 1:05, 1:02:03
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NO_VALUE;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

// A word for what the server calls by a name; a name that is newer than this page is shown as it is.
export const word = (table: Record<string, string>, key: string | null | undefined): string =>
  key ? (table[key] ?? key.replaceAll('_', ' ')) : NO_VALUE;

// "service_level.abandons_ignored@1" -> "abandons_ignored"
export const shortDefinition = (definition: string): string => definition.replace(/^[^.]*\./, '').replace(/@.*$/, '');
