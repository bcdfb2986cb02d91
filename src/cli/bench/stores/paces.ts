import type { Pace } from './measure-operation.js';

/** How long everything takes: about ten minutes, or seconds for a look whether it runs. */
export const paces: Readonly<Record<'full' | 'quick', Pace & { readonly people: number }>> = {
  full: { turnMs: 200, rounds: 5, moreRounds: 8, people: 25 },
  quick: { turnMs: 5, rounds: 1, moreRounds: 0, people: 2 },
};
