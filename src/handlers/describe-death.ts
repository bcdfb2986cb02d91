/** Why a thread ended, from its error event. What the event brings has crossed from another realm: it is an Error in shape only. */
export function describeDeath(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'an uncaught value that is no Error';
  if (Reflect.get(error, 'code') === 'ERR_WORKER_OUT_OF_MEMORY') return 'it ran out of memory';
  const name: unknown = Reflect.get(error, 'name');
  return typeof name === 'string' && /^\w{1,64}$/.test(name) ? `an uncaught ${name}` : 'an uncaught error';
}
