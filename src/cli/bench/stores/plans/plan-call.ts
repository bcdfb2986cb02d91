import type { Store } from '../../../../store/port/store.js';

/** A call whose plan is looked at. */
export interface PlanCall {
  readonly name: string;
  /** How many rows it answers with, so that it is known to have found what it was to read. */
  readonly expected: number;
  /** It reads fewer rows than this, however many there are. */
  readonly atMost: number;
  call(this: void, store: Store): Promise<{ readonly length: number } | null>;
}
