/**
 * How server and worker run in production; the scripts `server` and `worker` of package.json say the same, and a test
 * compares the two. By default Node keeps up to 48 MB of young objects and lets the old ones grow with the machine's
 * memory, and glibc keeps an arena per thread. These processes hold about 60 MB of live objects and profit from none
 * of it: measured, the flags halve the resident memory and leave the callback's latency as it was.
 */
export const productionNodeFlags = [
  '--optimize-for-size',
  '--max-semi-space-size=2',
  '--max-old-space-size=256',
] as const;
export const productionEnvironment = { MALLOC_ARENA_MAX: '2' } as const;
