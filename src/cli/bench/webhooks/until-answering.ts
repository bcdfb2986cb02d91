import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when something answers there, whatever it says; gives up after five seconds. */
export async function untilAnswering(origin: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const isUp = await fetch(origin).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await sleep(100);
  }
  throw new Error('the bare route does not answer');
}
