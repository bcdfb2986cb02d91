import type { RoleProcess } from '../../src/embedded/process/spawn-role.js';
import {
  breakGrant,
  connectAndIntegrate,
  type Consent,
  expectWorking,
  type Reconnect,
  untilRestored,
} from '../support/e2e/scenes.js';
import type { E2eServer, E2eStack } from '../support/e2e/start-e2e-stack.js';
import { startRunningStack } from '../support/e2e/start-running-stack.js';
import { until } from '../support/e2e/until.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

let stack: E2eStack;
let server: E2eServer;
let worker: RoleProcess;

describe.each(e2eStores('a killed server'))('on %s', store => {
  beforeAll(async () => {
    ({ stack, server, worker } = await startRunningStack({ RELINK_CALLBACK_DEADLINE: '2' }, store));
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);

  interface PreparedReconnect extends Reconnect {
    /** The old rows as they are before the callback. */
    readonly before: string;
  }

  /** A user whose integration is in ERROR and who has consented anew: the callback is next. */
  async function prepareReconnect(): Promise<PreparedReconnect> {
    const user = stack.user();
    const old = await connectAndIntegrate(user, 'acme');
    await breakGrant(stack, user, 'acme', old);
    const consent = await user.consent('acme', { entityId: old.entityId });
    return { user, old, consent, before: await stack.database.snapshot(user.userId) };
  }

  /** The caller of a server that is killed gets no answer. */
  const deliverToTheEnd = (consent: Consent) => consent.deliver().catch(() => null);

  async function killServer(): Promise<void> {
    await server.process.kill();
  }

  async function restartServer(): Promise<void> {
    server = await stack.startServer();
  }

  const lockSession = (attempt: string) => stack.database.hold('authorization_sessions', attempt);

  /** The attempt is over, the old rows are untouched, the user is told to connect again and can. */
  async function expectLost({ user, old, consent, before }: PreparedReconnect, how: 'sweep' | 'repeat'): Promise<void> {
    await stack.database.ageSession(consent.attempt, 61);
    const path = `/api/authorize/${consent.attempt}`;
    if (how === 'repeat') expect((await consent.deliver()).body.error?.code).toBe('exchange_outcome_unknown');
    const ended = await user.until(path, session => session.status === 'failed');
    expect(ended.error).toMatchObject({ code: 'exchange_outcome_unknown', action: 'connect_again' });
    expect(ended.error?.message).toMatch(/connect again/i);
    expect(await stack.database.snapshot(user.userId)).toBe(before);
    expect((await consent.deliver()).body.error?.code).toBe('exchange_outcome_unknown');

    const again = await user.connect('acme', { entityId: old.entityId });
    expect(again.status).toBe(200);
    await untilRestored(user, again.attempt);
    await expectWorking(user, old);
  }

  /** The attempt ended well: one more generation of the one credential. */
  async function expectConnected({ user, old, consent }: Reconnect): Promise<void> {
    await untilRestored(user, consent.attempt);
    await expectWorking(user, old);
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ id: old.credentialId, generation: 2 }]);
    expect((await user.get('/api/entities')).body.data).toMatchObject([{ id: old.entityId }]);
    const repeated = await consent.deliver();
    expect(repeated.status).toBe(200);
    expect(repeated.body).toMatchObject({ credential_id: old.credentialId, entity_id: old.entityId });
  }

  describe('a server killed with -9', () => {
    it('before the claim: the same callback connects after the restart', async () => {
      const reconnect = await prepareReconnect();
      const { consent, user, before } = reconnect;
      const requests = await stack.sandbox.countTokenRequests(async () => {
        const lock = await lockSession(consent.attempt);
        const delivered = deliverToTheEnd(consent);
        await stack.database.untilBlocked('authorization_sessions');
        await killServer();
        await stack.database.endBlocked();
        await lock.release();
        expect(await delivered).toBeNull();
        expect(await stack.database.sessionState(consent.attempt)).toBe('pending');
        expect(await stack.database.snapshot(user.userId)).toBe(before);
        await restartServer();
        expect((await consent.deliver()).status).toBe(200);
        await expectConnected(reconnect);
      });
      expect(requests).toBe(1);
    });

    it('in the claim, which the database commits without it: connect again, found out by the sweep', async () => {
      const reconnect = await prepareReconnect();
      const { consent } = reconnect;
      const requests = await stack.sandbox.countTokenRequests(async () => {
        const lock = await lockSession(consent.attempt);
        const delivered = deliverToTheEnd(consent);
        await stack.database.untilBlocked('authorization_sessions');
        await killServer();
        await lock.release();
        await delivered;
        await stack.database.untilSession(consent.attempt, 'exchanging');
        await restartServer();
      });
      expect(requests).toBe(0);
      await expectLost(reconnect, 'sweep');
    });

    it.each(['sweep', 'repeat'] as const)(
      'between the claim and the answer of the exchange: connect again, found out by the %s',
      async how => {
        const reconnect = await prepareReconnect();
        const { consent } = reconnect;
        await stack.sandbox.fault({ endpoint: 'token', kind: 'hang', count: 1 });
        const requests = await stack.sandbox.countTokenRequests(async () => {
          const delivered = await stack.sandbox.untilAsked('token', () => ({ end: deliverToTheEnd(consent) }));
          await killServer();
          expect(await delivered.end).toBeNull();
          expect(await stack.database.sessionState(consent.attempt)).toBe('exchanging');
          await restartServer();
          // A repeat within the minute waits for the exchange, which might still be running elsewhere, and never makes one.
          expect((await consent.deliver()).status).toBe(202);
        });
        expect(requests).toBe(1);
        await expectLost(reconnect, how);
      },
    );

    /** Holds the row from the moment of the claim on, so that the sealed write has to wait. */
    async function killInSealedWrite({ consent }: Reconnect, settle: () => Promise<void>): Promise<void> {
      await stack.sandbox.fault({ endpoint: 'token', delayMs: 700, count: 1 });
      const delivered = deliverToTheEnd(consent);
      await stack.database.untilSession(consent.attempt, 'exchanging');
      const lock = await lockSession(consent.attempt);
      await stack.database.untilBlocked('authorization_sessions', /sealed_?grant/i);
      await killServer();
      await settle();
      await lock.release();
      expect(await delivered).toBeNull();
    }

    it('between the answer of the exchange and the sealed write: connect again', async () => {
      const reconnect = await prepareReconnect();
      const requests = await stack.sandbox.countTokenRequests(async () => {
        await killInSealedWrite(reconnect, () => stack.database.endBlocked());
        expect(await stack.database.sessionState(reconnect.consent.attempt)).toBe('exchanging');
        await restartServer();
      });
      expect(requests).toBe(1);
      await expectLost(reconnect, 'sweep');
    });

    it('in the sealed write, which the database commits without it: the sweep connects', async () => {
      const reconnect = await prepareReconnect();
      const requests = await stack.sandbox.countTokenRequests(async () => {
        await killInSealedWrite(reconnect, async () => undefined);
        await restartServer();
        await expectConnected(reconnect);
      });
      expect(requests).toBe(1);
    });

    it('after the sealed write, before anything was started: the sweep connects', async () => {
      const reconnect = await prepareReconnect();
      const { consent } = reconnect;
      const requests = await stack.sandbox.countTokenRequests(async () => {
        await stack.temporal.kill();
        const delivered = deliverToTheEnd(consent);
        await stack.database.untilSession(consent.attempt, 'exchanged');
        await killServer();
        await delivered;
        await stack.temporal.start();
        await restartServer();
        await expectConnected(reconnect);
      });
      expect(requests).toBe(1);
    }, 60_000);

    it('while it waits for the run to answer: the run goes on without it', async () => {
      const reconnect = await prepareReconnect();
      const { consent } = reconnect;
      const requests = await stack.sandbox.countTokenRequests(async () => {
        await stack.sandbox.fault({ endpoint: 'identity', status: 503 });
        const delivered = await stack.sandbox.untilAsked('identity', () => ({ end: deliverToTheEnd(consent) }));
        await killServer();
        expect(await delivered.end).toBeNull();
        await stack.sandbox.clearFaults();
        await stack.database.untilSession(consent.attempt, 'restored');
        await restartServer();
        await expectConnected(reconnect);
      });
      expect(requests).toBe(1);
    });

    it('together with the worker and Temporal: the next start of all three connects', async () => {
      const reconnect = await prepareReconnect();
      const { consent } = reconnect;
      const requests = await stack.sandbox.countTokenRequests(async () => {
        await stack.sandbox.fault({ endpoint: 'identity', status: 503 });
        const delivered = await stack.sandbox.untilAsked('identity', () => ({ end: deliverToTheEnd(consent) }));
        await Promise.all([killServer(), worker.kill(), stack.temporal.kill()]);
        await delivered.end;
        await stack.sandbox.clearFaults();
        await stack.temporal.start();
        await restartServer();
        worker = await stack.startWorker();
        await expectConnected(reconnect);
      });
      expect(requests).toBe(1);
    }, 60_000);

    it('leaves no session in between', async () => {
      await until('every session has come to its end', async () => {
        const sessions = await stack.database.records('authorization_sessions');
        return sessions.every(session => session['state'] === 'restored' || session['state'] === 'failed');
      });
    });
  });
});
