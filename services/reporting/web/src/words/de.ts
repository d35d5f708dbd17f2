// Deutsch. Every text of English: a missing one does not compile.
import { coach } from './de/coach';
import { common } from './de/common';
import { floor } from './de/floor';
import { leader } from './de/leader';
import { people } from './de/people';
import type { Words } from './en';

export const de: Words = { ...common, ...floor, ...leader, ...people, ...coach };
