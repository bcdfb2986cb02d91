import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../src/activities/create-activities.js';
import { composeHandlers } from '../../src/compose-handlers.js';
import { composeCore } from '../../src/compose.js';
import { loadTemporalSettings } from '../../src/temporal/connect-client.js';
import type { RunningWorker } from '../../src/temporal/create-worker.js';
import { handlerEntry } from '../support/handler-entry.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

/** A process that is asked to stop while a token request of its is under way, at a provider that rotates. */
let stack: TestStack;
let worker: RunningWorker;
const { connect, countPosts, mend, read, refresh, spoil } = createRefreshScene(() => stack);

beforeAll(async () => {
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '20' });
  worker = await stack.startWorker();
});
afterEach(mend);
afterAll(() => stack.stop());

it('keeps its database until the answer is stored, also where its worker has been cut off', async () => {
  const { id: credentialId } = await connect(stack.user(), 'initech');
  const temporal = loadTemporalSettings({ TEMPORAL_ADDRESS: process.env['RELINK_TEST_TEMPORAL_ADDRESS'] });
  const other = await composeCore(stack.core.config, temporal, stack.core.log);
  const hosts = composeHandlers(other, handlerEntry);
  const { postRefresh } = createActivities({ ...other, ...hosts, settings: other.config });
  await spoil({ kind: 'late', delayMs: 1_000 });
  const posted = new MockActivityEnvironment().run(postRefresh, { credentialId, generation: 1, openPost: null });
  while ((await read(credentialId)).refreshPostedAt === null) await sleep(10);
  await other.close();
  expect(await read(credentialId)).toMatchObject({ generation: 2, authIsValid: true });
  expect(await posted).toMatchObject({ kind: 'refreshed', generation: 2 });
  await hosts.handlers.close();
});

it('waits in its worker for an answer that takes as long as it may', async () => {
  const credential = await connect(stack.user(), 'initech');
  await spoil({ kind: 'late', delayMs: 17_000 });
  const { posts } = await countPosts(async () => {
    expect(await refresh(credential, { deadlineMs: 100 })).toMatchObject({ kind: 'pending' });
    while ((await read(credential.id)).refreshPostedAt === null) await sleep(10);
    await worker.stop();
  });
  expect(posts).toBe(1);
  expect(await read(credential.id)).toMatchObject({ generation: 2, authIsValid: true });
}, 60_000);
