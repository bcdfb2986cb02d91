import { causeText, type Cause, type CauseCode } from '../../src/domain/cause.js';
import { isId, type CredentialId, type ProviderId } from '../../src/domain/ids.js';
import {
  addCause,
  restore,
  setIntent,
  statusOf,
  withdrawCause,
  type IntegrationState,
} from '../../src/domain/integration-state.js';
import { newId } from '../../src/ids.js';

const a = 'cred_a' as CredentialId;
const b = 'cred_b' as CredentialId;

const fresh: IntegrationState = { lifecycle: 'ready', intent: 'on', causes: [], epochs: {} };

function cause(credentialId: CredentialId, epoch: number, since = '2026-11-23T10:00:00.000Z'): Cause {
  const text = causeText('Attio', 'oauth2', 'credential_refused', 401);
  return {
    credentialId,
    epoch,
    provider: 'attio' as ProviderId,
    kind: 'oauth2',
    code: 'credential_refused',
    httpStatus: 401,
    text,
    since,
  };
}

function alive(credentialId: CredentialId, epoch: number, optIn = true, current: readonly string[] = [a, b]) {
  return { credentialId, epoch, optIn, currentCredentialIds: new Set(current) };
}

describe('late news', () => {
  it('lets a late failure not undo a reconnect', () => {
    const reconnected = restore(addCause(fresh, cause(a, 2)), alive(a, 3));
    expect(addCause(reconnected, cause(a, 2))).toBe(reconnected);
    expect(statusOf(reconnected)).toBe('ENABLED');
  });

  it('lets a failure that arrives only after the reconnect change nothing', () => {
    const reconnected = restore(fresh, alive(a, 3));
    expect(addCause(reconnected, cause(a, 2))).toBe(reconnected);
  });

  it('lets a late restore not undo a newer death', () => {
    const dead = addCause(fresh, cause(a, 4));
    expect(restore(dead, alive(a, 3))).toBe(dead);
    expect(statusOf(dead)).toBe('ERROR');
  });

  it.each([
    ['death, reconnect, death', [2, 3, 4], 'ERROR'],
    ['death, reconnect, death, reconnect', [2, 3, 4, 5], 'ENABLED'],
  ] as const)('ends in the same status whatever the order of arrival: %s', (_name, epochs, expected) => {
    for (const order of permutationsOf(epochs)) {
      const end = order.reduce<IntegrationState>(
        (state, epoch) => (epoch % 2 === 0 ? addCause(state, cause(a, epoch)) : restore(state, alive(a, epoch))),
        fresh,
      );
      expect([order, statusOf(end)]).toEqual([order, expected]);
      expect(end.epochs[a]).toBe(epochs.at(-1));
    }
  });

  it('keeps the news of one credential apart from that of another', () => {
    const state = addCause(restore(fresh, alive(a, 9)), cause(b, 1));
    expect(statusOf(state)).toBe('ERROR');
    expect(state.epochs).toEqual({ [a]: 9, [b]: 1 });
  });
});

describe('repeats', () => {
  it('add nothing to a known death', () => {
    const dead = addCause(fresh, cause(a, 2));
    expect(addCause(dead, cause(a, 2, '2026-11-23T11:00:00.000Z'))).toBe(dead);
  });

  it('of a restore do not end a pause that the user set since', () => {
    const restored = restore({ ...fresh, intent: 'paused' }, alive(a, 2));
    expect(statusOf(restored)).toBe('ENABLED');
    const pausedAgain = setIntent(restored, 'paused');
    expect(restore(pausedAgain, alive(a, 2))).toBe(pausedAgain);
  });

  it('leave the state that they were given untouched', () => {
    const before = JSON.stringify(fresh);
    addCause(fresh, cause(a, 2));
    restore(fresh, alive(a, 2));
    expect(JSON.stringify(fresh)).toBe(before);
  });
});

describe('a repointed entity', () => {
  it('takes with it the cause of the credential that it left', () => {
    const dead = addCause(fresh, cause(a, 2));
    const state = restore(dead, alive(b, 1, true, [b]));
    expect(state.causes).toEqual([]);
    expect(statusOf(state)).toBe('ENABLED');
  });

  it('leaves the cause of a credential that another entity still points to', () => {
    const dead = addCause(fresh, cause(a, 2));
    expect(statusOf(restore(dead, alive(b, 1, true, [a, b])))).toBe('ERROR');
  });

  it('remembers the epoch of the credential that was left', () => {
    const state = restore(addCause(fresh, cause(a, 2)), alive(b, 1, true, [b]));
    expect(addCause(state, cause(a, 2))).toBe(state);
  });
});

describe('withdrawing a cause', () => {
  const dead = addCause(addCause(fresh, cause(a, 2)), cause(b, 5));

  it('takes only the cause of that epoch', () => {
    expect(withdrawCause(dead, a, 2).causes).toEqual([cause(b, 5)]);
    expect(withdrawCause(dead, a, 1)).toBe(dead);
    expect(withdrawCause(dead, a, 3)).toBe(dead);
    expect(withdrawCause(dead, b, 2)).toBe(dead);
  });

  it('enables the row when it was the last one, and may be repeated', () => {
    const state = withdrawCause(withdrawCause(dead, a, 2), b, 5);
    expect(statusOf(state)).toBe('ENABLED');
    expect(withdrawCause(state, b, 5)).toBe(state);
  });

  it('never ends a pause', () => {
    expect(statusOf(withdrawCause(setIntent(addCause(fresh, cause(a, 2)), 'paused'), a, 2))).toBe('DISABLED');
  });

  it('keeps the epoch, so that the withdrawn death cannot come back', () => {
    const state = withdrawCause(addCause(fresh, cause(a, 2)), a, 2);
    expect(addCause(state, cause(a, 2))).toBe(state);
  });
});

describe('the text of a cause', () => {
  const reconnecting: readonly CauseCode[] = ['credential_refused', 'refresh_refused', 'refresh_outcome_unknown'];

  it.each(reconnecting)('of %s names the provider, the status and what to do', code => {
    const text = causeText('Attio', 'oauth2', code, 401);
    expect(text).toContain('Attio');
    expect(text).toContain('HTTP 401');
    expect(text).toMatch(/reconnect/i);
    expect(causeText('Attio', 'oauth2', code, null)).not.toMatch(/HTTP|null/);
  });

  it('of a rejected client asks nobody to reconnect', () => {
    const text = causeText('Attio', 'oauth2', 'client_rejected', 401);
    expect(text).toContain('operator');
    expect(text).not.toContain('Reconnect the account');
  });

  it.each([
    ['api_key', 'Attio no longer accepts this key (HTTP 401). Give a new key.'],
    ['basic', 'Attio no longer accepts this user name and password (HTTP 401). Give a new user name and password.'],
    ['client_credentials', 'Attio no longer accepts this client (HTTP 401). Give a new client id and secret.'],
  ] as const)('of a refused %s asks for what was given, and not for a consent', (kind, told) => {
    expect(causeText('Attio', kind, 'credential_refused', 401)).toBe(told);
    expect(causeText('Attio', kind, 'refresh_refused', 401)).toBe(told);
    for (const code of reconnecting) expect(causeText('Attio', kind, code, 401)).not.toMatch(/reconnect/i);
  });

  it('leaves out a status that says the opposite', () => {
    expect(causeText('Attio', 'oauth2', 'credential_refused', 200)).toBe(
      'Attio no longer accepts this connection. Reconnect the account.',
    );
  });

  it('claims a revocation in no case', () => {
    expect(causeText('Attio', 'oauth2', 'refresh_outcome_unknown', null)).not.toMatch(
      /revoke|no longer accepts|refused/i,
    );
  });
});

describe('ids', () => {
  it('are told apart by kind', () => {
    expect(isId('entity', newId('entity'))).toBe(true);
    expect(isId('entity', newId('credential'))).toBe(false);
    for (const wrong of [
      '',
      'ent_',
      'ent_xyz',
      `${newId('entity')}0`,
      newId('entity').toUpperCase(),
      `ent_${'g'.repeat(32)}`,
    ]) {
      expect(isId('entity', wrong)).toBe(false);
    }
  });

  it('sort by their making', () => {
    const ids = Array.from({ length: 1000 }, () => newId('session'));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
  });
});

function permutationsOf<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutationsOf([...items.slice(0, index), ...items.slice(index + 1)]).map(rest => [item, ...rest]),
  );
}
