import type { HandlerTask } from './handler-host.js';

/** Bytes of its own for the thread: a Buffer may lie in a pool, and sending it would send the pool. */
export function copyBody(task: HandlerTask, transfer: ArrayBuffer[]): HandlerTask {
  if (task.kind !== 'webhook') return task;
  const bytes = new Uint8Array(task.delivery.body);
  transfer.push(bytes.buffer);
  return { ...task, delivery: { ...task.delivery, body: bytes } };
}
