import { acquireInstanceLock } from '../../../src/embedded/single-instance.js';

/** take-instance-lock <directory> <address>: says whether it got the lock; stays until killed when it did. */
async function main(): Promise<void> {
  const [, , directory = '', address = ''] = process.argv;
  const lock = await acquireInstanceLock(directory);
  if (lock.acquired) {
    await lock.setAddress(address);
    setInterval(() => undefined, 1000);
  }
  process.stdout.write(`${JSON.stringify({ acquired: lock.acquired })}\n`);
}

void main();
