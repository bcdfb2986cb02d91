import type { Pace } from './measure-operation.js';
import type { PlanSizes } from './plans/plan-sizes.js';

export interface BenchSizes extends Pace {
  /** Each with twenty accounts and integrations. */
  readonly people: number;
  readonly plans: PlanSizes;
}

/** On FerretDB, which reads every document for most filters: a few, or nothing but that would be measured. */
export const fewPeople = 2;

/** How much of everything: about ten minutes of it, or seconds for a look whether it runs. */
export const sizes: Readonly<Record<'full' | 'quick', BenchSizes>> = {
  full: {
    ...{ turnMs: 150, fewest: 32, rounds: 5, moreRounds: 8, atMostMs: 3_000, people: 25 },
    plans: { integrations: 100_000, deliveriesEach: 980, flat: [1_000, 100_000, 1_000_000] },
  },
  quick: {
    ...{ turnMs: 5, fewest: 16, rounds: 1, moreRounds: 0, atMostMs: 1_000, people: 2 },
    plans: { integrations: 20_000, deliveriesEach: 120, flat: [1_000, 20_000] },
  },
};
