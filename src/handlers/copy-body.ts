import type { HandlerTask } from './handler-host.js';

/** Bytes of its own for the thread: a Buffer may lie in a pool, and sending it would send the pool. */
export function copyBody(task: HandlerTask): { readonly task: HandlerTask; readonly transfer: ArrayBuffer[] } {
  if (task.kind !== 'webhook') return { task, transfer: [] };
  const bytes = new Uint8Array(task.delivery.body);
  return { task: { ...task, delivery: { ...task.delivery, body: bytes } }, transfer: [bytes.buffer] };
}
