import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, RelinkError } from '../../../src/errors.js';
import { createLog } from '../../../src/log.js';
import { runRole } from '../../../src/run-role.js';

/**
 * run-fake-role <stop ms> <longest stop ms> [throw|reject|settings|refused|patient|slow]: a role whose stop takes so long; with a
 * third word it breaks when it is ready, where nobody catches, or cannot start, or asks for a minute for its stop, or
 * takes a second to start. Its log is its output.
 */
const [, , stopMs = '0', longestStopMs = '45000', mishap] = process.argv;

const start = async (isStopping: () => boolean) => {
  const alive = setInterval(() => undefined, 1000);
  process.stdout.write('{"ready":true}\n');
  if (mishap === 'settings') throw new ConfigError(['FIRST is required', 'SECOND must be a number']);
  if (mishap === 'refused') throw new RelinkError('database_not_migrated', 'pending: one');
  if (mishap === 'slow') {
    await sleep(1_000);
    process.stdout.write(isStopping() ? 'stopped before it was ready\n' : 'ready at last\n');
  }
  setTimeout(() => {
    if (mishap === 'throw') throw new Error('thrown past everybody');
    if (mishap === 'reject') void Promise.reject(new Error('rejected past everybody'));
  }, 50);
  return {
    ...(mishap === 'patient' ? { longestStopMs: 60_000 } : {}),
    stop: async () => {
      await sleep(Number(stopMs));
      clearInterval(alive);
    },
  };
};

void runRole('fake', createLog('info', 'fake'), start, Number(longestStopMs));
