import { types } from 'node:util';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../contracts/activities.js';
import { deliveriesTaskQueue } from '../contracts/task-queues.js';
import { ConfigError } from '../errors.js';
import { ConvertErrorsInterceptor } from './convert-errors-interceptor.js';
import { createSdkLogger } from './create-sdk-logger.js';
import type { Log } from '../log.js';
import type { TemporalSettings } from './connect-client.js';
import { planShutdown } from './plan-shutdown.js';

export interface WorkerSettings {
  readonly temporal: TemporalSettings;
  readonly taskQueue: string;
  readonly activities: Activities;
  readonly log: Log;
  /** The bundle: a file in production, made on the spot in tests. */
  readonly workflows: { readonly codePath: string } | { readonly code: string };
  /** At most the database pool's size: an activity holds a connection while it runs. */
  readonly maxConcurrentActivities: number;
  /** Integrations whose deliveries this worker works through at the same time. */
  readonly maxConcurrentDeliveries: number;
  /** What a token request may take: a worker that is stopped waits for those under way. */
  readonly refreshTimeoutMs: number;
}

export interface RunningWorker {
  /** Rejects when the worker dies by itself; resolves after `stop()`. */
  readonly finished: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Installs Temporal's native runtime once per process: our log, and no signal handlers of its own.
 *
 * @param metricsAddress Where to answer `GET /metrics` for Prometheus: the SDK's metrics, and what activities count.
 * @throws ConfigError when the address cannot be listened on.
 */
export function installRuntime(log: Log, metricsAddress?: string): void {
  const metrics = metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } };
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: createSdkLogger(log),
      telemetryOptions: { logging: { filter: { core: 'WARN', other: 'WARN' } }, ...metrics },
    });
  } catch (error) {
    if (metricsAddress === undefined || !types.isNativeError(error) || !/prometheus/.test(error.message)) throw error;
    const reason = /Address already in use/.test(error.message) ? 'is in use already' : 'cannot be listened on';
    throw new ConfigError([`RELINK_WORKER_METRICS_ADDRESS: ${metricsAddress} ${reason}`]);
  }
}

export async function startWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const { temporal, taskQueue, activities, log, workflows, maxConcurrentActivities, maxConcurrentDeliveries } =
    settings;
  const connection = await NativeConnection.connect(temporal.connectionOptions);
  const options: WorkerOptions = {
    connection,
    namespace: temporal.namespace,
    taskQueue,
    activities,
    workflowBundle: workflows,
    interceptors: {
      activity: [context => ({ inbound: new ConvertErrorsInterceptor(context, log) })],
    },
    maxConcurrentActivityTaskExecutions: maxConcurrentActivities,
    // Every poller holds a slot while it waits. With as many pollers as slots none is left for eager dispatch, which
    // hands an activity to the worker in the answer to its workflow task: one round trip less for each.
    activityTaskPollerBehavior: {
      type: 'simple-maximum',
      maximum: Math.max(1, Math.floor(maxConcurrentActivities / 3)),
    },
    maxConcurrentWorkflowTaskExecutions: 40,
    maxCachedWorkflows: 300,
    // A killed worker's sticky queue holds up a waiting user for this long.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: planShutdown(settings.refreshTimeoutMs).forceMs,
  };
  const worker = await Worker.create(options);
  // Handlers poll a queue of their own: however many deliveries there are, a reconnect finds its slots free.
  const deliveries = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: deliveriesTaskQueue(taskQueue),
    activities,
    interceptors: options.interceptors ?? {},
    maxConcurrentActivityTaskExecutions: maxConcurrentDeliveries,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 5 },
    shutdownGraceTime: '5 seconds',
    shutdownForceTime: '15 seconds',
  });
  const workers = [worker, deliveries];
  const shutDown = () => {
    for (const each of workers) if (each.getState() === 'RUNNING') each.shutdown();
  };
  // The end of one is the end of both: half a worker would look alive.
  const runs = workers.map(each => each.run().finally(shutDown));
  // One that is cut off takes nothing from the other, which may be waiting for an answer.
  const ended = Promise.allSettled(runs).then(() => connection.close());
  const finished = Promise.all(runs).then(() => ended);
  // Whoever awaits them learns of a death; one before that must not end the process as an unhandled rejection.
  for (const each of [ended, finished]) each.catch(() => undefined);
  return {
    finished,
    stop: async () => {
      shutDown();
      // Any rejection means that the worker is gone, which is what was asked for.
      await ended.catch(() => undefined);
    },
  };
}
