import { randomBytes } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/create-activities.js';
import type { ActivityDependencies } from '../../src/activities/dependencies.js';
import type { ProcessResult } from '../../src/contracts/delivery-activities.js';
import type { IntegrationId } from '../../src/domain/ids.js';
import type { TestStack } from './start-test-stack.js';

/** The consumer's activities, to be run one by one as an attempt that was handed out at that time (Date.now). */
export function prepareConsumer(stack: TestStack, more: Partial<ActivityDependencies>, at: number) {
  const environment = new MockActivityEnvironment(
    { activityId: randomBytes(4).toString('hex'), currentAttemptScheduledTimestampMs: at },
    { logger: new DefaultLogger('ERROR') },
  );
  const activities = createActivities({ ...stack.core, ...stack.hosts, settings: stack.core.config, ...more });
  return {
    environment,
    process: (integrationId: IntegrationId) =>
      environment.run<[{ integrationId: IntegrationId }], ProcessResult, typeof activities.processDeliveries>(
        activities.processDeliveries,
        { integrationId },
      ),
    discard: (integrationId: IntegrationId) =>
      environment.run<[{ integrationId: IntegrationId }], { discarded: number }, typeof activities.discardDeliveries>(
        activities.discardDeliveries,
        { integrationId },
      ),
  };
}
