import type { Cause } from '../../src/domain/cause.js';
import type { CredentialId, ProviderId } from '../../src/domain/ids.js';
import {
  addCause,
  restore,
  setIntent,
  setLifecycle,
  statusOf,
  type IntegrationState,
} from '../../src/domain/integration-state.js';
import type { IntegrationStatus, Intent, Lifecycle } from '../../src/domain/status.js';

const credentialA = 'cred_a' as CredentialId;
const credentialB = 'cred_b' as CredentialId;
const both = new Set<string>([credentialA, credentialB]);

function causeOf(credentialId: CredentialId, epoch: number): Cause {
  return {
    credentialId,
    epoch,
    provider: 'attio' as ProviderId,
    kind: 'oauth2',
    code: 'credential_refused',
    httpStatus: 401,
    text: 'Attio no longer accepts this connection (HTTP 401). Reconnect the account.',
    since: '2026-11-23T10:00:00.000Z',
  };
}

/** A row that has heard of epoch 1 of its credentials, in the given status. */
function stateIn(status: IntegrationStatus, causes: readonly Cause[] = []): IntegrationState {
  const shapes: Record<IntegrationStatus, [Lifecycle, Intent]> = {
    IN_CREATION: ['creating', 'on'],
    PROCESSING: ['processing', 'on'],
    ENABLED: ['ready', 'on'],
    NEEDS_CONFIG: ['needs_config', 'on'],
    ERROR: ['ready', 'on'],
    DISABLED: ['ready', 'paused'],
    IN_DELETION: ['deleting', 'on'],
  };
  const [lifecycle, intent] = shapes[status];
  const state = { lifecycle, intent, causes, epochs: { [credentialA]: 1, [credentialB]: 1 } };
  expect(statusOf(state)).toBe(status);
  return state;
}

const reconnect = (state: IntegrationState, credentialId = credentialA, epoch = 2) =>
  restore(state, { credentialId, epoch, currentCredentialIds: both, optIn: true });
const passedTest = (state: IntegrationState, credentialId = credentialA, epoch = 2) =>
  restore(state, { credentialId, epoch, currentCredentialIds: both, optIn: false });

const untouchedByAuth: readonly IntegrationStatus[] = ['IN_CREATION', 'PROCESSING', 'NEEDS_CONFIG', 'IN_DELETION'];

describe('a reconnect of one of its entities', () => {
  it.each([...untouchedByAuth, 'ENABLED'] as const)('leaves %s as it is', status => {
    expect(statusOf(reconnect(stateIn(status)))).toBe(status);
  });

  it.each(untouchedByAuth)('takes the cause from %s and leaves the status', status => {
    const after = reconnect(stateIn(status, [causeOf(credentialA, 1)]));
    expect(statusOf(after)).toBe(status);
    expect(after.causes).toEqual([]);
  });

  it('turns ERROR to ENABLED when no cause remains', () => {
    expect(statusOf(reconnect(stateIn('ERROR', [causeOf(credentialA, 1)])))).toBe('ENABLED');
  });

  it('keeps ERROR while the cause of another credential remains', () => {
    const after = reconnect(stateIn('ERROR', [causeOf(credentialA, 1), causeOf(credentialB, 1)]));
    expect(statusOf(after)).toBe('ERROR');
    expect(after.causes).toEqual([causeOf(credentialB, 1)]);
    expect(statusOf(reconnect(after, credentialB))).toBe('ENABLED');
  });

  it('turns DISABLED to ENABLED when no cause remains', () => {
    expect(statusOf(reconnect(stateIn('DISABLED')))).toBe('ENABLED');
    expect(statusOf(reconnect(stateIn('DISABLED', [causeOf(credentialA, 1)])))).toBe('ENABLED');
  });

  it('turns DISABLED to ERROR while the cause of another credential remains', () => {
    expect(statusOf(reconnect(stateIn('DISABLED', [causeOf(credentialB, 1)])))).toBe('ERROR');
  });

  it('turns a paused integration that needs a setting to NEEDS_CONFIG: auth alone does not fix it', () => {
    const paused = { ...stateIn('NEEDS_CONFIG'), intent: 'paused' as const };
    expect(statusOf(paused)).toBe('DISABLED');
    expect(statusOf(reconnect(paused))).toBe('NEEDS_CONFIG');
  });

  it.each(['creating', 'processing', 'deleting'] as const)('keeps the intent of a paused row that is %s', lifecycle => {
    const paused: IntegrationState = { ...stateIn('DISABLED'), lifecycle };
    expect(reconnect(paused).intent).toBe('paused');
  });

  it('notes the epoch also where nothing else changes', () => {
    const before = stateIn('ENABLED');
    const after = reconnect(before);
    expect(after).toEqual({ ...before, epochs: { [credentialA]: 2, [credentialB]: 1 } });
  });
});

describe('the death of its credential', () => {
  it.each<[IntegrationStatus, IntegrationStatus]>([
    ['IN_CREATION', 'IN_CREATION'],
    ['PROCESSING', 'PROCESSING'],
    ['ENABLED', 'ERROR'],
    ['NEEDS_CONFIG', 'NEEDS_CONFIG'],
    ['DISABLED', 'DISABLED'],
    ['IN_DELETION', 'IN_DELETION'],
  ])('records the cause and turns %s to %s', (before, after) => {
    const dead = addCause(stateIn(before), causeOf(credentialA, 2));
    expect(statusOf(dead)).toBe(after);
    expect(dead.causes).toEqual([causeOf(credentialA, 2)]);
    expect(dead.epochs[credentialA]).toBe(2);
  });

  it('adds a second cause to ERROR, one for each credential', () => {
    const dead = addCause(stateIn('ERROR', [causeOf(credentialA, 1)]), causeOf(credentialB, 2));
    expect(statusOf(dead)).toBe('ERROR');
    expect(dead.causes).toEqual([causeOf(credentialA, 1), causeOf(credentialB, 2)]);
  });

  it('replaces an older cause of the same credential', () => {
    const dead = addCause(stateIn('ERROR', [causeOf(credentialA, 1)]), causeOf(credentialA, 4));
    expect(dead.causes).toEqual([causeOf(credentialA, 4)]);
  });
});

describe('a passed test or refresh', () => {
  it.each([...untouchedByAuth, 'ENABLED'] as const)('leaves %s as it is', status => {
    expect(statusOf(passedTest(stateIn(status)))).toBe(status);
  });

  it('turns ERROR to ENABLED when no cause remains, and not before', () => {
    expect(statusOf(passedTest(stateIn('ERROR', [causeOf(credentialA, 1)])))).toBe('ENABLED');
    expect(statusOf(passedTest(stateIn('ERROR', [causeOf(credentialA, 1), causeOf(credentialB, 1)])))).toBe('ERROR');
  });

  it('never ends the pause of DISABLED, but takes its cause', () => {
    const after = passedTest(stateIn('DISABLED', [causeOf(credentialA, 1)]));
    expect(statusOf(after)).toBe('DISABLED');
    expect(after.causes).toEqual([]);
  });
});

describe('moving to ENABLED', () => {
  const dead = [causeOf(credentialA, 1)];

  it.each<[IntegrationStatus, (state: IntegrationState) => IntegrationState]>([
    ['IN_CREATION', state => setLifecycle(state, 'ready')],
    ['PROCESSING', state => setLifecycle(state, 'ready')],
    ['NEEDS_CONFIG', state => setLifecycle(state, 'ready')],
    ['DISABLED', state => setIntent(state, 'on')],
  ])('from %s lands in ERROR while a cause is open, else in ENABLED', (status, move) => {
    expect(statusOf(move(stateIn(status, dead)))).toBe('ERROR');
    expect(statusOf(move(stateIn(status)))).toBe('ENABLED');
  });
});

describe("the user's switch", () => {
  it.each(['ENABLED', 'NEEDS_CONFIG'] as const)('pauses %s and brings it back', status => {
    const paused = setIntent(stateIn(status), 'paused');
    expect(statusOf(paused)).toBe('DISABLED');
    expect(statusOf(setIntent(paused, 'on'))).toBe(status);
  });

  it('pauses ERROR and keeps its cause', () => {
    const paused = setIntent(stateIn('ERROR', [causeOf(credentialA, 1)]), 'paused');
    expect(statusOf(paused)).toBe('DISABLED');
    expect(paused.causes).toHaveLength(1);
  });

  it('changes nothing when it stands there already', () => {
    const state = stateIn('ENABLED');
    expect(setIntent(state, 'on')).toBe(state);
  });
});

describe('deletion', () => {
  it.each(['IN_CREATION', 'PROCESSING', 'ENABLED', 'NEEDS_CONFIG', 'DISABLED'] as const)('takes %s', status => {
    expect(statusOf(setLifecycle(stateIn(status), 'deleting'))).toBe('IN_DELETION');
  });

  it('is final', () => {
    const state = stateIn('IN_DELETION');
    expect(setLifecycle(state, 'ready')).toBe(state);
    expect(statusOf(setIntent(state, 'paused'))).toBe('IN_DELETION');
  });
});
