// English: what the other languages have to say too. A text with something in it is a function.
import { common } from './en/common';
import { floor } from './en/floor';
import { leader } from './en/leader';

export const en = { ...common, ...floor, ...leader };
export type Words = typeof en;
