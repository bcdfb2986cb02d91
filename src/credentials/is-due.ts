import type { Credential } from '../store/port/store.js';

/** A token that ends sooner is not worth handing out. Milliseconds. */
const leastLifeMs = 10_000;

/** By the clock of this process: whether the token has to be refreshed before somebody is given it. */
export function isDue(credential: Pick<Credential, 'refreshable' | 'refreshDueAt' | 'expiresAt'>, now: Date): boolean {
  const { refreshable, refreshDueAt } = credential;
  const isOverdue = refreshable && refreshDueAt !== null && refreshDueAt.getTime() <= now.getTime();
  return isOverdue || !isAlive(credential, now);
}

export function isAlive({ expiresAt }: Pick<Credential, 'expiresAt'>, now: Date): boolean {
  return expiresAt === null || expiresAt.getTime() - leastLifeMs > now.getTime();
}
