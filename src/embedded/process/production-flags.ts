/**
 * How server and worker run in production; the scripts `server` and `worker` of package.json say the same, and a test
 * compares the two. Node keeps up to 48 MB of young objects and glibc an arena per thread, neither of which these
 * processes profit from: together they double the resident memory.
 */
export const productionNodeFlags = ['--max-semi-space-size=2'] as const;
export const productionEnvironment = { MALLOC_ARENA_MAX: '2' } as const;
