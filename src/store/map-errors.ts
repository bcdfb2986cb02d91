/**
 * Has every call tell the errors of a driver as errors of the registry, and gives the same object back. In one place for
 * all of them, so that no call can forget it.
 *
 * @param toStoreError Gives back what it does not know as it is.
 */
export function mapErrors<Calls extends object>(calls: Calls, toStoreError: (error: unknown) => unknown): Calls {
  for (const key of Object.keys(calls)) {
    const call: unknown = Reflect.get(calls, key);
    if (typeof call !== 'function') continue;
    const guarded = async (...given: unknown[]) => {
      try {
        const result: unknown = await Reflect.apply(call, calls, given);
        return result;
      } catch (error) {
        throw toStoreError(error);
      }
    };
    Reflect.set(calls, key, guarded);
  }
  return calls;
}
