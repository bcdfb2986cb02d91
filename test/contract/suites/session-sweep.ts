import { setTimeout as sleep } from 'node:timers/promises';
import { sessionStates, type SessionState } from '../../../src/domain/session.js';
import { newId } from '../../../src/ids.js';
import type { SessionId } from '../../../src/domain/ids.js';
import type { Session, Store } from '../../../src/store/port/store.js';
import { later, minute, noon, otherStates, sessionIn, sessionOf, type StoreUnderTest, race } from '../fixtures.js';

/** Runs `act` while this process believes that it is `time`. Timers stay real. */
async function withClockAt<Result>(time: Date, act: () => Promise<Result>): Promise<Result> {
  jest.useFakeTimers({ now: time, doNotFake: timersOtherThanDate });
  try {
    return await act();
  } finally {
    jest.useRealTimers();
  }
}

const timersOtherThanDate = [
  ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
  ...(['setImmediate', 'clearImmediate', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];

export function describeSessionSweep(under: () => StoreUnderTest): void {
  const ids = (sessions: readonly Session[]) => sessions.map(session => session.id);

  describe('endAbandonedSession', () => {
    const code = 'exchange_outcome_unknown';

    async function claimedNow(store: Store): Promise<Session> {
      const claimed = await store.claimSession((await store.insertSession(sessionOf())).id, noon);
      if (claimed === null) throw new Error('the session is not claimed');
      return claimed;
    }

    // Two machines: one claims, the other judges how old the claim is. Neither clock may count.
    it.each([
      ['ten minutes ahead', 10 * minute],
      ['ten minutes behind', -10 * minute],
    ])('called by a process whose clock is %s spares a young exchange and ends an old one', async (_name, offset) => {
      const { first, second } = under();
      const trueTime = new Date();
      const session = sessionOf({ expiresAt: later(trueTime, 60 * minute) });
      await first.insertSession(session);
      const wrong = await withClockAt(later(trueTime, offset), async () => {
        const claimed = await first.claimSession(session.id, new Date());
        return { claimed, at: new Date() };
      });
      expect(Math.abs(wrong.at.getTime() - trueTime.getTime())).toBeGreaterThan(9 * minute);
      expect(wrong.claimed).toMatchObject({ state: 'exchanging' });
      await sleep(100);
      for (const clock of [0, offset, -offset]) {
        await withClockAt(later(trueTime, clock), async () => {
          expect(await second.endAbandonedSession(session.id, minute, code)).toBeNull();
          expect(ids(await second.listAbandonedSessions(minute, 1000))).not.toContain(session.id);
        });
      }
      expect(await first.getSession(session.id)).toEqual(wrong.claimed);

      await withClockAt(later(trueTime, -offset), async () => {
        expect(ids(await second.listAbandonedSessions(50, 1000))).toContain(session.id);
        const ended = await second.endAbandonedSession(session.id, 50, code);
        expect(ended).toMatchObject({ id: session.id, state: 'failed', errorCode: code, sealedGrant: null });
        expect(await second.endAbandonedSession(session.id, 50, code)).toBeNull();
        expect(ids(await second.listAbandonedSessions(50, 1000))).not.toContain(session.id);
      });
    });

    it('ends only what is exchanging, however old', async () => {
      const { first } = under();
      for (const state of otherStates('exchanging')) {
        const session = await sessionIn(first, state, new Date('2003-01-01T00:00:00.000Z'));
        expect([state, await first.endAbandonedSession(session.id, 0, code)]).toEqual([state, null]);
        expect(await first.getSession(session.id)).toEqual(session);
      }
      expect(await first.endAbandonedSession(newId('session'), 0, code)).toBeNull();
    });

    race('and sealGrant at once: one of the two wins, and the row is that one', async () => {
      const { first, second } = under();
      for (let round = 0; round < 20; round += 1) {
        const { id } = await claimedNow(first);
        await sleep(5);
        const [sealed, ended] = await Promise.all([
          first.sealGrant(id, 'grant', noon),
          second.endAbandonedSession(id, 1, code),
        ]);
        expect([sealed === null, ended === null].sort()).toEqual([false, true]);
        expect(await first.getSession(id)).toEqual(sealed ?? ended);
      }
    });

    it('lists the oldest first, a bounded number', async () => {
      const { first } = under();
      const made: SessionId[] = [];
      for (let index = 0; index < 3; index += 1) {
        made.push((await claimedNow(first)).id);
        await sleep(5);
      }
      const all = ids(await first.listAbandonedSessions(0, 1000));
      expect(all.filter(id => made.includes(id))).toEqual(made);
      expect(ids(await first.listAbandonedSessions(0, all.length - 1))).toEqual(all.slice(0, -1));
    });
  });

  describe('the sweep', () => {
    // A time of its own for each test, since these look at all sessions there are.
    it('lists stale sessions of the asked states, oldest first, a bounded number', async () => {
      const { first } = under();
      const start = new Date('2001-01-01T00:00:00.000Z');
      const made: Session[] = [];
      for (const [index, state] of (['exchanged', 'exchanging', 'exchanged', 'connected'] as const).entries()) {
        made.unshift(await sessionIn(first, state, later(start, -index * minute)));
      }
      const [oldest, second, third, newest] = ids(made);
      const states = ['exchanged', 'connected'] as const;
      expect(ids(await first.listStaleSessions(states, later(start, 1), 10))).toEqual([oldest, second, newest]);
      expect(ids(await first.listStaleSessions(['exchanging'], later(start, 1), 10))).toEqual([third]);
      expect(ids(await first.listStaleSessions(states, start, 10))).toEqual([oldest, second]);
      expect(ids(await first.listStaleSessions(states, later(start, 1), 1))).toEqual([oldest]);
      expect(await first.listStaleSessions([], later(start, 1), 10)).toEqual([]);
    });

    it('passes a touched session once a round, and touches only the state it saw', async () => {
      const { first } = under();
      const start = new Date('2002-01-01T00:00:00.000Z');
      const { id } = await sessionIn(first, 'exchanged', start);
      await first.touchSession(id, 'connected', later(start, minute));
      expect((await first.getSession(id))?.updatedAt).toEqual(start);
      await first.touchSession(id, 'exchanged', later(start, minute));
      expect((await first.getSession(id))?.updatedAt).toEqual(later(start, minute));
    });

    it('deletes what ended or was never claimed, and nothing that is under way', async () => {
      const { first } = under();
      const start = new Date('2000-01-01T00:00:00.000Z');
      const before = later(start, 60 * minute);
      const made = new Map<SessionState, Session>();
      for (const state of sessionStates) made.set(state, await sessionIn(first, state, start));
      expect(await first.deleteEndedSessions(start, 100)).toBe(0);
      expect(await first.deleteEndedSessions(before, 2)).toBe(2);
      expect(await first.deleteEndedSessions(before, 100)).toBe(1);
      const left = [];
      for (const [state, { id }] of made) if ((await first.getSession(id)) !== null) left.push(state);
      expect(left).toEqual(['exchanging', 'exchanged', 'connected']);
    });

    it('does not delete a pending session that may still be claimed', async () => {
      const { first } = under();
      const start = new Date('1999-01-01T00:00:00.000Z');
      const { id } = await sessionIn(first, 'pending', start);
      expect(await first.deleteEndedSessions(later(start, minute), 100)).toBe(0);
      expect(await first.getSession(id)).not.toBeNull();
    });
  });
}
