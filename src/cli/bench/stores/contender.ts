import type { Operation, PreparedCalls } from './operation.js';
import type { Scene } from './scene.js';

export type Call = (place: number) => Promise<unknown>;

/** One of the forms that take turns: the port, the same statements without it, and the driver where that is another one. */
export interface Contender {
  readonly name: 'port' | 'bare' | 'driver';
  /** Makes the calls ready; what this costs is not timed. */
  ready(operation: Operation, calls: PreparedCalls): Call | Promise<Call>;
}

/** A store with everything that is measured on it. */
export interface BenchTarget {
  readonly scene: Scene;
  readonly contenders: readonly Contender[];
  /** Each row more makes every call slower, as on a server that uses no index: what was written goes after each turn. */
  readonly growsSlow: boolean;
  /** Removes everything but the people. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Connections of each contender: as many as a process of the service holds. */
export const poolSize = 10;
