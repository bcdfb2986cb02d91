import type { SessionState } from '../../../src/domain/session.js';
import { newId } from '../../../src/ids.js';
import type { ExternalId } from '../../../src/domain/ids.js';
import type { Session, Store } from '../../../src/store/port/store.js';
import {
  atOnce,
  later,
  minute,
  noon,
  otherStates,
  sessionIn,
  sessionOf,
  writers,
  type StoreUnderTest,
  race,
} from '../fixtures.js';

export function describeSessions(under: () => StoreUnderTest): void {
  /** The write's condition is false in each of these states: null, and the row as it was. */
  async function expectRefusedIn(
    states: readonly SessionState[],
    write: (store: Store, session: Session) => Promise<Session | null>,
  ): Promise<void> {
    const { first } = under();
    for (const state of states) {
      const session = await sessionIn(first, state);
      expect([state, await write(first, session)]).toEqual([state, null]);
      expect(await first.getSession(session.id)).toEqual(session);
    }
  }

  describe('sessions', () => {
    it('come back as they were inserted, by id and by the hash of their state', async () => {
      const { first, second } = under();
      const session = sessionOf({
        ownRedirect: true,
        returnUrl: 'https://app.example.com/verbunden?q=日本',
        expectedEntityId: newId('entity'),
        expectedExternalId: 'Zürich 🔑 "quoted" \\ %' as ExternalId,
        sealedRequest: 'r'.repeat(8192),
      });
      const { stateHash, ...visible } = session;
      const inserted = await first.insertSession(session);
      expect(inserted).toMatchObject({
        ...visible,
        state: 'pending',
        browserHash: null,
        sealedGrant: null,
        grantSequence: null,
        account: null,
        credentialId: null,
        entityId: null,
        errorCode: null,
      });
      expect(await second.getSession(session.id)).toEqual(inserted);
      expect(await second.findSessionByStateHash(stateHash)).toEqual(inserted);
    });

    it('are not found by another id or hash', async () => {
      const { first } = under();
      expect(await first.getSession(newId('session'))).toBeNull();
      expect(await first.findSessionByStateHash('no such hash')).toBeNull();
      expect(await first.findSessionByStateHash('')).toBeNull();
    });

    it('refuse a state hash that exists', async () => {
      const { first } = under();
      const session = sessionOf();
      await first.insertSession(session);
      await expect(first.insertSession(sessionOf({ stateHash: session.stateHash }))).rejects.toThrow(
        /unique constraint.*state_hash|duplicate key.*authorization_sessions/is,
      );
    });
  });

  describe('bindBrowser', () => {
    it('binds once; the same browser again changes nothing; another is refused', async () => {
      const { first } = under();
      const { id } = await first.insertSession(sessionOf());
      const bound = await first.bindBrowser(id, 'browser-1', noon);
      expect(bound).toMatchObject({ id, state: 'pending', browserHash: 'browser-1' });
      expect(await first.bindBrowser(id, 'browser-1', later(noon, minute))).toEqual(bound);
      expect(await first.bindBrowser(id, 'browser-2', later(noon, minute))).toBeNull();
      expect(await first.getSession(id)).toEqual(bound);
    });

    it('refuses expired, moved on and unknown sessions, also for the bound browser', async () => {
      const { first } = under();
      const { id, expiresAt } = await first.insertSession(sessionOf());
      expect(await first.bindBrowser(id, 'browser', expiresAt)).toBeNull();
      expect(await first.bindBrowser(id, 'browser', later(expiresAt, -1))).not.toBeNull();
      expect(await first.bindBrowser(id, 'browser', expiresAt)).toBeNull();
      await first.claimSession(id, noon);
      expect(await first.bindBrowser(id, 'browser', noon)).toBeNull();
      expect(await first.bindBrowser(newId('session'), 'browser', noon)).toBeNull();
    });

    race('binds to one of many browsers at once', async () => {
      const { id } = await under().first.insertSession(sessionOf());
      const bound = await atOnce(under(), (store, index) => store.bindBrowser(id, `browser-${index}`, noon));
      const winners = bound.filter(session => session !== null);
      expect(winners).toHaveLength(1);
      expect(await under().first.getSession(id)).toEqual(winners[0]);
    });
  });

  describe('claimSession', () => {
    it('claims a pending session once', async () => {
      const { first, second } = under();
      const { id } = await first.insertSession(sessionOf());
      expect(await first.claimSession(id, noon)).toMatchObject({ id, state: 'exchanging' });
      expect(await second.claimSession(id, noon)).toBeNull();
    });

    race('has exactly one winner among many at once', async () => {
      const { id } = await under().first.insertSession(sessionOf());
      const claims = await atOnce(under(), store => store.claimSession(id, noon));
      expect(claims.filter(claim => claim !== null)).toHaveLength(1);
    });

    it('refuses an expired session, to the millisecond', async () => {
      const { first } = under();
      const expired = await first.insertSession(sessionOf());
      expect(await first.claimSession(expired.id, expired.expiresAt)).toBeNull();
      expect(await first.getSession(expired.id)).toEqual(expired);
      expect(await first.claimSession(expired.id, later(expired.expiresAt, -1))).not.toBeNull();
    });

    it('refuses every other state', async () => {
      await expectRefusedIn(otherStates('pending'), (store, session) => store.claimSession(session.id, noon));
    });
  });

  describe('sealGrant', () => {
    it('stores the grant and draws a number in one write', async () => {
      const { first } = under();
      const { id } = await sessionIn(first, 'exchanging');
      const sealed = await first.sealGrant(id, 'g'.repeat(12_000), later(noon, 5));
      expect(sealed).toMatchObject({
        id,
        state: 'exchanged',
        sealedGrant: 'g'.repeat(12_000),
        updatedAt: later(noon, 5),
      });
      expect(sealed?.grantSequence).toBeGreaterThan(0);
      expect(await first.getSession(id)).toEqual(sealed);
    });

    it('refuses every state but exchanging', async () => {
      await expectRefusedIn(otherStates('exchanging'), (store, session) => store.sealGrant(session.id, 'other', noon));
    });

    race('has one winner among many at once', async () => {
      const { id } = await sessionIn(under().first, 'exchanging');
      const sealed = await atOnce(under(), (store, index) => store.sealGrant(id, `grant-${index}`, noon));
      const winners = sealed.filter(session => session !== null);
      expect(winners).toHaveLength(1);
      expect(await under().first.getSession(id)).toEqual(winners[0]);
    });

    race('numbers the grants of different sessions in the order of their writes', async () => {
      const { first, second } = under();
      let last = 0;
      for (const store of [first, second, first, second]) {
        const { grantSequence } = await sessionIn(store, 'exchanged');
        expect(grantSequence).toBeGreaterThan(last);
        last = grantSequence ?? 0;
      }
      const sessions = await Promise.all(Array.from({ length: writers }, () => sessionIn(first, 'exchanging')));
      const sealed = await atOnce(under(), (store, index) => store.sealGrant(sessions[index]!.id, 'grant', noon));
      const numbers = sealed.map(session => session?.grantSequence ?? 0);
      expect(new Set(numbers).size).toBe(writers);
      expect(Math.min(...numbers)).toBeGreaterThan(last);
    });
  });

  describe('recordAccount', () => {
    const accountOf = (externalId: string, name: string | null = null) => ({
      externalId: externalId as ExternalId,
      credentialExternalId: `${externalId}:owner` as ExternalId,
      name,
    });

    it.each(['Ünïcode GmbH 🏭', null])('notes the account %s on an exchanged session, once', async name => {
      const { first } = under();
      const { id } = await sessionIn(first, 'exchanged');
      const account = accountOf('workspace-1', name);
      const recorded = await first.recordAccount(id, account, later(noon, 1));
      expect(recorded).toMatchObject({ id, state: 'exchanged', account, sealedGrant: 'sealed-grant' });
      expect(await first.recordAccount(id, account, later(noon, 2))).toEqual(recorded);
      expect(await first.recordAccount(id, accountOf('workspace-2'), later(noon, 2))).toBeNull();
    });

    it('takes a name without what cannot be stored', async () => {
      const { first, second } = under();
      const { id } = await sessionIn(first, 'exchanged');
      const account = { ...accountOf('workspace-1'), name: 'A\0cme \ud83c' };
      expect(await first.recordAccount(id, account, noon)).toMatchObject({ account: { name: 'Acme \ufffd' } });
      expect((await second.getSession(id))?.account?.name).toBe('Acme \ufffd');
    });

    race('and endSession at once: what is recorded goes forward, what has ended records nothing', async () => {
      const { first, second } = under();
      for (let round = 0; round < 20; round += 1) {
        const { id } = await sessionIn(first, 'exchanged');
        const [recorded, ended] = await Promise.all([
          first.recordAccount(id, accountOf('workspace-1'), noon),
          second.endSession(id, 'exchanged', 'connect_timed_out', noon),
        ]);
        expect([recorded, ended].filter(result => result !== null)).toHaveLength(1);
      }
    });

    it('refuses every other state', async () => {
      await expectRefusedIn(otherStates('exchanged'), (store, session) =>
        store.recordAccount(session.id, accountOf('workspace-1'), noon),
      );
    });
  });

  describe('connectSession and completeSession', () => {
    it('connect takes the grant with it and keeps its number', async () => {
      const { first } = under();
      const exchanged = await sessionIn(first, 'exchanged');
      const [credentialId, entityId] = [newId('credential'), newId('entity')];
      expect(await first.connectSession(exchanged.id, credentialId, entityId, later(noon, 9))).toEqual({
        ...exchanged,
        state: 'connected',
        credentialId,
        entityId,
        sealedGrant: null,
        updatedAt: later(noon, 9),
      });
    });

    it.each(['connected', 'restored'] as const)('a repeat on a %s session returns it unchanged', async state => {
      const { first, second } = under();
      const session = await sessionIn(first, state);
      const { id, credentialId, entityId } = session;
      if (credentialId === null || entityId === null) throw new Error('a connected session has both');
      expect(await second.connectSession(id, credentialId, entityId, later(noon, minute))).toEqual(session);
      expect(await second.connectSession(id, newId('credential'), entityId, noon)).toBeNull();
      expect(await second.connectSession(id, credentialId, newId('entity'), noon)).toBeNull();
      expect(await second.getSession(id)).toEqual(session);
    });

    it('connect refuses every other state', async () => {
      await expectRefusedIn(otherStates('exchanged'), (store, session) =>
        store.connectSession(session.id, newId('credential'), newId('entity'), noon),
      );
    });

    it('complete moves connected to restored, and nothing else', async () => {
      const { first } = under();
      const { id } = await sessionIn(first, 'connected');
      expect(await first.completeSession(id, later(noon, 3))).toMatchObject({
        state: 'restored',
        updatedAt: later(noon, 3),
      });
      await expectRefusedIn(otherStates('connected'), (store, session) => store.completeSession(session.id, noon));
    });
  });

  describe('endSession', () => {
    it.each(['pending', 'exchanging', 'exchanged'] as const)(
      'ends a session that is %s, and its grant goes',
      async from => {
        const { first } = under();
        const session = await sessionIn(first, from);
        expect(await first.endSession(session.id, from, 'exchange_refused', later(noon, 4))).toEqual({
          ...session,
          state: 'failed',
          errorCode: 'exchange_refused',
          sealedGrant: null,
          updatedAt: later(noon, 4),
        });
      },
    );

    it('refuses a session that is not in the state it was expected in', async () => {
      await expectRefusedIn(otherStates('exchanging'), (store, session) =>
        store.endSession(session.id, 'exchanging', 'exchange_outcome_unknown', noon),
      );
    });

    race('and sealGrant at once: one of the two wins, and the row is that one', async () => {
      const { first, second } = under();
      for (let round = 0; round < 20; round += 1) {
        const { id } = await sessionIn(first, 'exchanging');
        const [sealed, ended] = await Promise.all([
          first.sealGrant(id, 'grant', noon),
          second.endSession(id, 'exchanging', 'exchange_outcome_unknown', noon),
        ]);
        expect([sealed === null, ended === null].sort()).toEqual([false, true]);
        expect(await first.getSession(id)).toEqual(sealed ?? ended);
      }
    });
  });

  describe('endOrphanedSession', () => {
    it('ends an exchanged session whose account is recorded, and its grant goes', async () => {
      const { first } = under();
      const { id } = await sessionIn(first, 'exchanged');
      const externalId = 'workspace-1' as ExternalId;
      const recorded = await first.recordAccount(
        id,
        { externalId, credentialExternalId: externalId, name: null },
        noon,
      );
      expect(await first.endOrphanedSession(id, 'credential_removed', later(noon, 4))).toEqual({
        ...recorded,
        state: 'failed',
        errorCode: 'credential_removed',
        sealedGrant: null,
        updatedAt: later(noon, 4),
      });
    });

    it('refuses every other state', async () => {
      await expectRefusedIn(otherStates('exchanged'), (store, session) =>
        store.endOrphanedSession(session.id, 'credential_removed', noon),
      );
    });
  });
}
