/**
 * How server and worker run in production; the scripts `server` and `worker` of package.json say the same, and a test
 * compares the two. By default Node keeps up to 48 MB of young objects and lets the old ones grow with the machine's
 * memory, and glibc keeps an arena per thread; these processes hold about 60 MB of live objects. Smaller than this, and
 * with `--optimize-for-size`, memory falls by another 30 MB, and webhooks taken in a second fall to less than half.
 */
export const productionNodeFlags = ['--max-semi-space-size=8', '--max-old-space-size=256'] as const;

export const productionEnvironment = { MALLOC_ARENA_MAX: '2' } as const;
