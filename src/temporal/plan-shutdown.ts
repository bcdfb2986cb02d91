/** Until everything but a token request has ended, or has been cut off. */
const shortestForceMs = 15_000;
/** For the mark before a token request, and the write of its answer behind it. */
const aroundRequestMs = 10_000;
/** What comes after the worker: its answers stored where the database was slow, connections closed. */
const afterWorkerMs = 20_000;
/** Above the longest exchange of a server in the same process (30 s) and the five seconds its sealed write may be repeated. */
const shortestStopMs = 45_000;

/**
 * How long a worker may take for its end. A refresh that was begun is waited for: where tokens rotate, its answer is the
 * only copy of the next one.
 *
 * @returns `forceMs`: when its activities are cut off; `longestStopMs`: when the process is ended as it is.
 */
export function planShutdown(refreshTimeoutMs: number): { readonly forceMs: number; readonly longestStopMs: number } {
  const forceMs = Math.max(shortestForceMs, refreshTimeoutMs + aroundRequestMs);
  return { forceMs, longestStopMs: Math.max(shortestStopMs, forceMs + afterWorkerMs) };
}
