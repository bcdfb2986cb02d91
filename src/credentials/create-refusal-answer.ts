import { setTimeout as delay } from 'node:timers/promises';
import { RelinkError } from '../errors.js';
import type { Credential, Store } from '../store/port/store.js';
import { createCredentialMemory } from './create-credential-memory.js';
import type { CredentialTester } from './create-credential-tester.js';
import { readUsable } from './read-usable.js';
import type { CredentialRefresher } from './credential-refresher.js';
import { toRefreshError } from './to-refresh-error.js';

export interface RefusalAnswerDependencies {
  readonly store: Pick<Store, 'getCredential'>;
  readonly refresher: CredentialRefresher;
  readonly tester: CredentialTester;
  readonly now: () => Date;
}

export type RefusalAnswer = (id: Credential['id'], refusedGeneration: number, deadlineMs: number) => Promise<void>;

/** What refuses a token that a refusal has just brought will refuse the next one too. Milliseconds. */
const renewedForMs = 3_600_000;
/** A test whose outcome is not there yet has it soon. Milliseconds. */
const askAgainAfterMs = 5_000;

/**
 * For whoever was handed a token and met a 401 with it; the way of a handler's 401. A newer token in the store answers it;
 * else the refused one is refreshed, or, where it cannot be, tested, each once for all callers. A refusal of the token
 * that this brought is mostly the endpoint's own (a missing scope): for an hour the identity call decides first. So however
 * often somebody says that they were refused, it costs no token request for each.
 *
 * Where the identity call accepts the token, all is as before, and the same generation is handed out again.
 *
 * @throws RelinkError `credential_dead`; `client_rejected`; `refresh_pending` with its time; `provider_unavailable`.
 */
export function createRefusalAnswer({ store, refresher, tester, now }: RefusalAnswerDependencies): RefusalAnswer {
  const renewed = createCredentialMemory(renewedForMs, () => now().getTime());

  return async (id, refusedGeneration, deadlineMs) => {
    const credential = await readUsable(store, id);
    if (credential.generation > refusedGeneration) return;
    if (credential.refreshable && !renewed.has(id)) {
      const outcome = await refresher.refresh(credential, { deadlineMs });
      if (outcome.kind === 'refreshed') return renewed.note(id);
      if (outcome.kind !== 'not_refreshable') {
        const after = outcome.kind === 'operator_fault' ? await readUsable(store, id) : credential;
        throw toRefreshError(outcome, after);
      }
    }
    await test(tester, credential, deadlineMs);
  };
}

async function test(tester: CredentialTester, credential: Credential, deadlineMs: number): Promise<void> {
  const { id, provider, refreshable } = credential;
  const outcome = await Promise.race([tester.test(credential), delay(deadlineMs, null, { ref: false })]);
  switch (outcome) {
    case 'ok':
      return;
    case 'refused':
    case 'gone':
      // What was refreshed on the way and refused all the same is kept: the grant lives. A dead one is told by the next read.
      if (refreshable) return;
      throw new RelinkError('credential_dead', id);
    case 'needs_refresh':
    case null:
      throw new RelinkError('refresh_pending', provider, { retryAfterMs: askAgainAfterMs });
    case 'unreachable':
      throw new RelinkError('provider_unavailable', provider);
  }
}
