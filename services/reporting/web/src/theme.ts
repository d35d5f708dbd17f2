// Light, dark, or as the system has it.
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
export const theme = signal<Theme>((localStorage.getItem('theme') as Theme | null) ?? 'auto');

effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
  localStorage.setItem('theme', theme.value);
});
