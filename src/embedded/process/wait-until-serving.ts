import { setTimeout as sleep } from 'node:timers/promises';
import type { RoleProcess } from './spawn-role.js';

const patienceMs = 30_000;

/**
 * Waits until the server's health is 200.
 *
 * @throws Error with the end of its log when it ends, or is not there after 30 seconds.
 */
export async function waitUntilServing(server: RoleProcess, url: string): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline && !server.hasExited(); await sleep(50)) {
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok === true) return;
  }
  throw new Error(`The server did not become ready. The end of its log:\n${(await server.readLog()).slice(-3_000)}`);
}
