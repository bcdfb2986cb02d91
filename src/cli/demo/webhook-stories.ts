import type { ApiClient } from '../api-client.js';
import { breakGrant, connect, expectStatus, integrate } from './scenes.js';
import { describeStatus, expectThat, must, type Stage } from './stage.js';
import type { Story } from './stories.js';

const flood = 1_000;

async function post(stage: Stage, integrationId: string, from: number, count: number): Promise<void> {
  await stage.step(
    `The provider sends ${count} webhooks`,
    async () => {
      for (let n = from; n < from + count; n += 1) {
        const status = await stage.sendWebhook(integrationId, n);
        expectThat(status === 200, `webhook ${n} was answered ${status}`);
      }
    },
    () => 'each was answered 200',
  );
}

async function expectHeld(stage: Stage, user: ApiClient, integrationId: string, count: number): Promise<void> {
  await stage.step(
    'Look at its queue',
    async () => {
      const { deliveries } = (await user.get(`/api/integrations/${integrationId}`)).body;
      expectThat(deliveries?.held === count, `expected ${count} held, got ${deliveries?.held}`);
    },
    () => `${count} held`,
  );
}

async function expectHandled(stage: Stage, story: string, expected: readonly number[]): Promise<void> {
  await stage.step(
    'What reached the product',
    async () => {
      const numbers = await stage.untilReceived(story, expected.length);
      expectThat(JSON.stringify(numbers) === JSON.stringify(expected), `got ${numbers.length}, not each once in order`);
    },
    () => `all ${expected.length}, each once, in the order they came`,
  );
}

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

/** What happens to the webhooks of a connection whose grant is dead. */
export const webhookStories: readonly Story[] = [
  {
    name: 'held',
    title: 'A thousand webhooks while the grant is dead: held, and handled once, in order, after the reconnect',
    async play(stage) {
      const user = stage.user('demo-held');
      const { entityId, credentialId } = await connect(stage, user, 'acme');
      const integration = await integrate(stage, user, 'forward', [entityId], { url: stage.receiverUrl('held') });
      const errorsBefore = stage.errorLines();
      await breakGrant(stage, user, 'acme', credentialId);
      await expectStatus(stage, user, integration, 'ERROR');
      await post(stage, integration, 0, flood);
      await expectHeld(stage, user, integration, flood);
      await connect(stage, user, 'acme', { entityId });
      await expectStatus(stage, user, integration, 'ENABLED');
      await expectHandled(stage, 'held', range(flood));
      await stage.step(
        'Error lines in the log for this outage',
        () => {
          const lines = stage.errorLines() - errorsBefore;
          expectThat(lines === 1, `expected 1, counted ${lines}`);
          return Promise.resolve(lines);
        },
        String,
      );
    },
  },
  {
    name: 'held_then_disabled',
    title: 'Held in ERROR, then somebody disables it, then the customer reconnects: what was held runs',
    async play(stage) {
      const user = stage.user('demo-held-then-disabled');
      const { entityId, credentialId } = await connect(stage, user, 'acme');
      const url = stage.receiverUrl('held_then_disabled');
      const integration = await integrate(stage, user, 'forward', [entityId], { url });
      const path = `/api/integrations/${integration}`;
      await breakGrant(stage, user, 'acme', credentialId);
      await expectStatus(stage, user, integration, 'ERROR');
      await post(stage, integration, 0, 50);
      await expectHeld(stage, user, integration, 50);
      await stage.step(
        'Somebody disables the failing integration',
        async () => must(await user.patch(path, { status: 'DISABLED' }), 200),
        describeStatus,
      );
      await post(stage, integration, 50, 5);
      await stage.step(
        'These came while it was disabled',
        () => user.until(`${path}/deliveries?state=discarded`, body => body.data?.length === 5),
        () => '5 discarded, each listed with the reason integration_disabled',
      );
      await connect(stage, user, 'acme', { entityId });
      await expectStatus(stage, user, integration, 'ENABLED');
      await expectHandled(stage, 'held_then_disabled', range(50));
    },
  },
];
