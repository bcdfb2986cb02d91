/** What the benchmark reads straight from the database, so that it counts what is stored and not what it was told. */
export interface BenchDatabase {
  count(state: string): Promise<number>;
  countPending(): Promise<number>;
  /** Accepted to handled, milliseconds, over what was received since. */
  latency(since: Date): Promise<{ readonly count: number; readonly p50: number; readonly p99: number }>;
  /** Empties both queues, so that no part pays for the one before. */
  reset(): Promise<void>;
  /** The deliveries of each integration, in the order they were taken in. */
  arrivals(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Seconds from the first delivery handled to the last. */
  handledWithin(): Promise<number>;
  /** Brings the planner up to date, of our table or of all, where the database does not by itself at once. */
  vacuum(): Promise<void>;
  vacuumJobs(): Promise<void>;
  close(): Promise<void>;
}
