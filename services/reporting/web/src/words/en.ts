// English: what the other languages have to say too. A text with something in it is a function.
import { coach } from './en/coach';
import { common } from './en/common';
import { floor } from './en/floor';
import { leader } from './en/leader';
import { people } from './en/people';

export const en = { ...common, ...floor, ...leader, ...people, ...coach };
export type Words = typeof en;
