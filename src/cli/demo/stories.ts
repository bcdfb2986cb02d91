import { breakGrant, connect, expectStatus, integrate } from './scenes.js';
import { describeStatus, expectThat, must, type Stage, staysAt } from './stage.js';

export interface Story {
  readonly name:
    | 'error'
    | 'disabled'
    | 'many_integrations'
    | 'needs_config'
    | 'wrong_account'
    | 'held'
    | 'held_then_disabled'
    | 'attio_dies'
    | 'rotating_survives';
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

export const stories: readonly Story[] = [
  {
    name: 'error',
    title: 'A grant dies, the integration says why, a reconnect brings it back',
    async play(stage) {
      const user = stage.user('demo-error');
      const { entityId, credentialId } = await connect(stage, user, 'acme');
      const integration = await integrate(stage, user, 'contact-sync', [entityId]);
      await breakGrant(stage, user, 'acme', credentialId);
      const dead = await expectStatus(stage, user, integration, 'ERROR');
      expectThat(dead.causes?.length === 1, 'ERROR without its cause');
      const again = await connect(stage, user, 'acme', { entityId });
      expectThat(again.entityId === entityId && again.credentialId === credentialId, 'the reconnect made other rows');
      const alive = await expectStatus(stage, user, integration, 'ENABLED');
      expectThat(alive.causes?.length === 0, 'ENABLED with a cause left');
    },
  },
  {
    name: 'disabled',
    title: 'Somebody disabled it meanwhile: the reconnect still brings it back',
    async play(stage) {
      const user = stage.user('demo-disabled');
      const { entityId, credentialId } = await connect(stage, user, 'acme');
      const integration = await integrate(stage, user, 'contact-sync', [entityId]);
      await breakGrant(stage, user, 'acme', credentialId);
      await expectStatus(stage, user, integration, 'ERROR');
      await stage.step(
        'Somebody disables the failing integration',
        async () => must(await user.patch(`/api/integrations/${integration}`, { status: 'DISABLED' }), 200),
        describeStatus,
      );
      await connect(stage, user, 'acme', { entityId });
      await expectStatus(stage, user, integration, 'ENABLED');
    },
  },
  {
    name: 'many_integrations',
    title: 'One entity under several integrations: one reconnect restores them all',
    async play(stage) {
      const user = stage.user('demo-many');
      const first = await connect(stage, user, 'acme');
      const second = await connect(stage, user, 'globex');
      const integrations = [
        await integrate(stage, user, 'contact-sync', [first.entityId]),
        await integrate(stage, user, 'contact-sync', [first.entityId, second.entityId]),
        await integrate(stage, user, 'pipeline-report', [first.entityId], { pipelineId: '7' }),
      ];
      const bystander = await integrate(stage, user, 'contact-sync', [second.entityId]);
      await breakGrant(stage, user, 'acme', first.credentialId);
      for (const integration of integrations) await expectStatus(stage, user, integration, 'ERROR');
      await expectStatus(stage, user, bystander, 'ENABLED');
      await connect(stage, user, 'acme', { entityId: first.entityId });
      for (const integration of integrations) await expectStatus(stage, user, integration, 'ENABLED');
    },
  },
  {
    name: 'needs_config',
    title: 'A missing setting is not mended by a reconnect',
    async play(stage) {
      const user = stage.user('demo-needs-config');
      const { entityId, credentialId } = await connect(stage, user, 'acme');
      const integration = await integrate(stage, user, 'pipeline-report', [entityId]);
      await expectStatus(stage, user, integration, 'NEEDS_CONFIG');
      await breakGrant(stage, user, 'acme', credentialId);
      const path = `/api/integrations/${integration}`;
      await stage.step(
        'Its status stays, the cause is on record',
        () => user.until(path, body => body.causes?.length === 1),
        describeStatus,
      );
      await connect(stage, user, 'acme', { entityId });
      await stage.step(
        'The reconnect takes the cause away, not the missing setting',
        () => staysAt(user, path, 'NEEDS_CONFIG', 300),
        describeStatus,
      );
      expectThat((await user.get(path)).body.causes?.length === 0, 'the cause stayed');
      await stage.step(
        'Its setting is given',
        async () => must(await user.patch(path, { config: { pipelineId: '7' } }), 200),
        describeStatus,
      );
      await expectStatus(stage, user, integration, 'ENABLED');
    },
  },
  {
    name: 'wrong_account',
    title: 'The wrong account is chosen: refused, and everything stays as it was',
    async play(stage) {
      const user = stage.user('demo-wrong-account');
      const { entityId, credentialId } = await connect(stage, user, 'acme');
      const integration = await integrate(stage, user, 'contact-sync', [entityId]);
      const credentialPath = `/api/credentials/${credentialId}`;
      const before = JSON.stringify((await user.get(credentialPath)).body);
      await stage.step(
        'Reconnect, but choose hooli',
        async () => {
          const { status, body } = await user.connect('hooli', { entityId });
          expectThat(status === 409 && body.error?.code === 'wrong_account', `the callback answered ${status}`);
          return body;
        },
        body => `refused: ${body.error?.message}`,
      );
      await stage.step('The old credential is intact', async () => {
        expectThat(JSON.stringify((await user.get(credentialPath)).body) === before, 'the credential changed');
      });
      await expectStatus(stage, user, integration, 'ENABLED');
    },
  },
];
