import { setTimeout as sleep } from 'node:timers/promises';
import { breakGrant, connect, expectStatus, integrate } from './scenes.js';
import { expectThat, must, type Stage } from './stage.js';
import type { Story } from './stories.js';

const callers = 200;
const rounds = 2;
/** A token of this life counts as due six seconds after it was issued: callers that a slow machine answers later ask for another. Seconds. */
const shortLife = 16;
const untilDueMs = 6_500;

async function expectTokenRequests(stage: Stage, expected: number): Promise<void> {
  await stage.step(
    'Token requests that the provider has seen',
    async () => {
      const { token_requests } = await stage.sandbox.readCounters();
      expectThat(token_requests === expected, `expected ${expected}, the provider counted ${token_requests}`);
      return token_requests;
    },
    String,
  );
}

/** How long credentials live, and what their end costs. */
export const credentialStories: readonly Story[] = [
  {
    name: 'attio_dies',
    title: 'Attio issues no refresh token: its death costs not one token request',
    async play(stage) {
      const user = stage.user('demo-attio');
      const { entityId, credentialId } = await connect(stage, user, 'hooli', { entityType: 'attio' });
      const integration = await integrate(stage, user, 'contact-sync', [entityId]);
      await stage.sandbox.resetCounters();
      await breakGrant(stage, user, 'hooli', credentialId);
      await expectStatus(stage, user, integration, 'ERROR');
      await expectTokenRequests(stage, 0);
      await connect(stage, user, 'hooli', { entityType: 'attio', entityId });
      await expectStatus(stage, user, integration, 'ENABLED');
    },
  },
  {
    name: 'rotating_survives',
    title: 'A refresh token that is good for one use, and 200 callers at once: one refresh, and the grant lives',
    async play(stage) {
      const user = stage.user('demo-rotating');
      await stage.sandbox.setPolicy('initech', { refreshToken: 'rotated', accessTokenTtl: shortLife });
      const { credentialId } = await connect(stage, user, 'initech');
      await stage.sandbox.resetCounters();
      for (let round = 1; round <= rounds; round += 1) {
        await sleep(untilDueMs);
        const tokens = await stage.step(
          `${callers} callers ask for its token, which is about to end`,
          async () => {
            const path = `/api/credentials/${credentialId}/token`;
            const answers = await Promise.all(Array.from({ length: callers }, () => user.get(path)));
            return new Set(answers.map(answer => must(answer, 200).token ?? ''));
          },
          ({ size }) => (size === 1 ? `all ${callers} got the same token` : `they got ${size} different ones`),
        );
        expectThat(tokens.size === 1, `expected one token, saw ${tokens.size}`);
        await expectTokenRequests(stage, round);
        for (const token of tokens) {
          await stage.step('The provider takes it', () => stage.expectAccepted(token));
        }
      }
    },
  },
];
