import { newId } from '../../../src/ids.js';
import type { DeliveryId, IntegrationId, IntegrationType } from '../../../src/domain/ids.js';
import type { Credential, Session } from '../../../src/store/port/store.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimLot, deliveryOf, insertSome, newIntegration, one, succeeded } from '../delivery-fixtures.js';
import {
  grantOf,
  insertCredential,
  insertEntity,
  newUser,
  noon,
  ready,
  sessionIn,
  type StoreUnderTest,
} from '../fixtures.js';

const unavailable = { name: 'RelinkError', code: 'database_unavailable', retryable: true, status: 503 };

export function describeLostConnections(under: () => StoreUnderTest): void {
  describe('a connection that is lost', () => {
    beforeEach(() => under().wired.check());
    afterEach(() => under().wire.mend());

    async function breakAndMend(): Promise<void> {
      await under().wire.cut();
      await under().wire.mend();
    }

    /**
     * Loses the connection in place of the first answer to a write, then, with rows of its own, of the second one, until
     * it gets all of its answers. `repeat` tells whether it found the write done.
     */
    async function loseEachAnswer<Given>(
      prepare: () => Promise<Given>,
      write: (given: Given) => Promise<unknown>,
      repeat: (given: Given) => Promise<boolean>,
    ): Promise<void> {
      let foundDone = 0;
      for (let spared = 0; ; spared += 1) {
        const given = await prepare();
        await under().wired.check();
        const lost = under().wire.loseAnswers(spared);
        const written = Promise.allSettled([write(given)]);
        const wasLost = await Promise.race([lost.then(() => true), written.then(() => false)]);
        await breakAndMend();
        const [answer] = await written;
        // A read whose answer was lost may have been sent again.
        if (answer.status === 'rejected') expect(answer.reason).toMatchObject(unavailable);
        if (!wasLost) {
          expect(answer.status).toBe('fulfilled');
          return expect(foundDone).toBeGreaterThan(0);
        }
        const isDone = await repeat(given);
        if (isDone && answer.status === 'rejected') foundDone += 1;
      }
    }

    it('before a write arrived leaves the row, and the write can be repeated', async () => {
      const { first, wired, wire } = under();
      const credential = await insertCredential(first, newUser());
      const write = () => wired.replaceGrant(credential.id, credential.epoch, grantOf(2), noon);
      wire.silence();
      const answered = expect(write()).rejects.toMatchObject(unavailable);
      await sleep(100);
      await breakAndMend();
      await answered;
      expect(await first.getCredential(credential.id)).toEqual(credential);
      expect(await write()).toMatchObject({ generation: 2 });
    });

    it('before the answer of a write came has written it once, and the repeat tells so', async () => {
      const { first, wired } = under();
      const [credentialId, entityId] = [newId('credential'), newId('entity')];
      const connect = ({ id }: Session) => wired.connectSession(id, credentialId, entityId, noon);
      await loseEachAnswer(
        () => sessionIn(first, 'exchanged'),
        connect,
        async session => {
          const isDone = (await first.getSession(session.id))?.state === 'connected';
          expect(await connect(session)).toMatchObject({ state: 'connected', credentialId, entityId });
          return isDone;
        },
      );

      const replace = ({ id, epoch }: Credential) => wired.replaceGrant(id, epoch, grantOf(2), noon);
      await loseEachAnswer(
        () => insertCredential(first, newUser()),
        replace,
        async credential => {
          const isDone = (await replace(credential)) === null;
          expect(await first.getCredential(credential.id)).toMatchObject({
            generation: 2,
            epoch: credential.epoch + 1,
          });
          return isDone;
        },
      );
    });

    it('before the answer of stored deliveries came has stored each once, and the repeat finds them', async () => {
      const { first, wired } = under();
      await loseEachAnswer(
        async () => {
          const integrationId = newIntegration();
          return [deliveryOf(integrationId), deliveryOf(integrationId)] as const;
        },
        rows => wired.insertDeliveries(rows),
        async rows => {
          const outcomes = (await wired.insertDeliveries(rows)).map(({ outcome }) => outcome);
          expect(new Set(outcomes).size).toBe(1);
          const stored = await first.listDeliveries(rows[0].integrationId, {}, { limit: 9, after: null });
          expect(stored.rows).toHaveLength(2);
          return outcomes[0] === 'duplicate';
        },
      );
    });

    it('before the answer of ended deliveries came has ended them once, and the repeat names them as lost', async () => {
      const { first, wired } = under();
      const end = ({ integrationId, ids }: { integrationId: IntegrationId; ids: readonly DeliveryId[] }) =>
        wired.finishDeliveries(integrationId, 'run/1', ids.map(succeeded), one);
      await loseEachAnswer(
        async () => {
          const integrationId = newIntegration();
          const ids = await insertSome(first, integrationId, 2);
          await first.becomeConsumer(integrationId, 'run/1', one);
          await claimLot(first, integrationId);
          return { integrationId, ids };
        },
        end,
        async given => {
          const lost = await end(given);
          for (const id of given.ids) {
            const ended = await first.getDelivery(given.integrationId, id);
            expect(ended).toMatchObject({ state: 'succeeded', attempts: 1 });
          }
          return lost.length === given.ids.length;
        },
      );
    });

    it('while lots are claimed and ended leaves every delivery to somebody, and none to two', async () => {
      const { wired } = under();
      const integrationId = newIntegration();
      const ids = await insertSome(wired, integrationId, 40);
      const ended: string[] = [];
      let cuts = 0;
      for (let run = 1; ended.length < ids.length; run += 1) {
        const claim = `run/${run}`;
        const cut = sleep(run % 8).then(() => (cuts < 12 ? ((cuts += 1), breakAndMend()) : undefined));
        try {
          await wired.becomeConsumer(integrationId, claim, one);
          const lot = await claimLot(wired, integrationId, { claim, limit: 4 });
          const outcomes = lot.map(({ id }) => succeeded(id));
          // A successor gets what this write did not end: told as lost here, it was ended by this very write before.
          const lost = await wired.finishDeliveries(integrationId, claim, outcomes, one).catch(async error => {
            expect(error).toMatchObject(unavailable);
            await cut;
            return wired.finishDeliveries(integrationId, claim, outcomes, one);
          });
          expect(lost.every(id => outcomes.some(outcome => outcome.id === id))).toBe(true);
          ended.push(...outcomes.map(({ id }) => id));
        } catch (error) {
          expect(error).toMatchObject(unavailable);
        }
        await cut;
      }
      expect(cuts).toBeGreaterThan(0);
      expect(ended).toEqual(ids);
      const { rows } = await wired.listDeliveries(integrationId, {}, { limit: 100, after: null });
      expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual(ids.map(() => ['succeeded', 1]));
    });

    it('among many writes loses none that was answered', async () => {
      const { first, wired } = under();
      const userId = newUser();
      const { id: entityId } = await insertEntity(first, userId);
      const ids = Array.from({ length: 60 }, () => newId('integration'));
      const insert = (id: (typeof ids)[number], index: number) => {
        const type = `type-${index}` as IntegrationType;
        return wired.insertIntegration({ id, userId, type, entityIds: [entityId], config: {}, state: ready }, noon);
      };
      const answers = Promise.allSettled(ids.map(insert));
      await sleep(5);
      await breakAndMend();
      for (const [index, answer] of (await answers).entries()) {
        if (answer.status === 'rejected') expect(answer.reason).toMatchObject(unavailable);
        else expect(await first.getIntegration(ids[index]!)).toEqual(answer.value.integration);
        const { integration } = await insert(ids[index]!, index);
        expect(integration.id).toBe(ids[index]);
      }
    });
  });
}
