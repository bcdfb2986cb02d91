import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { sandboxWebhookSecret } from '../../src/embedded/start-backing-services.js';
import { sendWebhook } from '../../src/embedded/sandbox/send-webhook.js';
import type { ApiClient } from '../../src/cli/api-client.js';
import { callControl } from './sandbox-client.js';
import type { TestStack } from './start-test-stack.js';

export const recorderModule = join(__dirname, 'handlers/recorder.cjs');
export const webhookSecret = sandboxWebhookSecret('sandbox-client-secret');

/** What a user with webhooks needs of the stack it lives on. */
export interface WebhookStage {
  user(): ApiClient;
  revoke(account: string): Promise<void>;
  /** What the sandbox signs with. */
  readonly secret: string;
}

const stageOf = (stack: TestStack): WebhookStage => ({
  user: () => stack.user(),
  revoke: async account => {
    await callControl(stack.sandbox, 'POST', `/accounts/${account}/revoke`);
  },
  secret: webhookSecret,
});

const lineSchema = z.looseObject({
  event: z.string(),
  n: z.number().optional(),
  key: z.string().optional(),
  attempt: z.number().optional(),
});
export type RecordedLine = z.infer<typeof lineSchema>;

/** A user with one connected account and one integration whose handler records what it does. */
export interface WebhookUser {
  readonly user: ApiClient;
  readonly account: string;
  readonly entityId: string;
  readonly credentialId: string;
  readonly integrationId: string;
  readonly path: string;
  /** Posts a webhook; answers the HTTP status. */
  send(body: Record<string, unknown>, deliveryId?: string): Promise<number>;
  lines(event?: string): RecordedLine[];
  /** The numbers of the deliveries whose handler ended, in order. */
  handled(): number[];
  untilHandled(count: number, withinMs?: number): Promise<number[]>;
  revoke(): Promise<void>;
  /** Revokes at the provider and has a test find out. */
  die(): Promise<void>;
  reconnect(): Promise<void>;
}

export const makeWebhookUser = (stack: TestStack, type: string, config: Record<string, unknown> = {}) =>
  makeWebhookUserOn(stageOf(stack), type, config);

export async function makeWebhookUserOn(
  stage: WebhookStage,
  type: string,
  config: Record<string, unknown> = {},
  account = 'acme',
): Promise<WebhookUser> {
  const user = stage.user();
  const { body } = await user.connect(account);
  const entityId = body.entity_id ?? '';
  const credentialId = body.credential_id ?? '';
  const file = join(tmpdir(), `relink-recorded-${randomBytes(6).toString('hex')}.jsonl`);
  const created = await user.post('/api/integrations', { type, entities: [entityId], config: { file, ...config } });
  const integrationId = created.body.id ?? '';
  const path = `/api/integrations/${integrationId}`;
  const lines = (event?: string) => {
    if (!existsSync(file)) return [];
    const all = readFileSync(file, 'utf8')
      .split('\n')
      .filter(line => line !== '');
    return all
      .map(line => lineSchema.parse(JSON.parse(line)))
      .filter(line => event === undefined || line.event === event);
  };
  const handled = () => lines('end').map(line => line.n ?? -1);
  const revoke = () => stage.revoke(account);
  return {
    user,
    account,
    entityId,
    credentialId,
    integrationId,
    path,
    send: (content, deliveryId) =>
      sendWebhook({
        relinkUrl: user.url,
        integrationId,
        secret: stage.secret,
        body: JSON.stringify(content),
        ...(deliveryId !== undefined && { deliveryId }),
      }),
    lines,
    handled,
    async untilHandled(count, withinMs = 20_000) {
      const until = Date.now() + withinMs;
      while (handled().length < count && Date.now() < until) await sleep(25);
      return handled();
    },
    revoke,
    async die() {
      await revoke();
      await user.post(`/api/credentials/${credentialId}/test`);
      await user.until(path, integration => integration.status === 'ERROR' || integration.status === 'DISABLED');
    },
    async reconnect() {
      const { attempt, status } = await user.connect(account, { entityId });
      if (status !== 200) throw new Error(`the reconnect answered ${status}`);
      await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
    },
  };
}
