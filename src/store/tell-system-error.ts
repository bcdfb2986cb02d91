import { getSystemErrorMap } from 'node:util';

/** What the system says of a call that failed, in words: `no such file or directory`. */
export function tellSystemError(error: unknown): string {
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? Number(error.errno) : 0;
  return getSystemErrorMap().get(errno)?.[1] ?? 'for a reason unknown';
}
