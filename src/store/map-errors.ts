/**
 * The same calls, with the errors of a driver as errors of the registry. In one place for all of them, so that no call
 * can forget it.
 *
 * @param toStoreError Gives back what it does not know as it is.
 */
export function mapErrors<Calls extends object>(calls: Calls, toStoreError: (error: unknown) => unknown): Calls {
  const mapped = new Map<string | symbol, (...given: unknown[]) => Promise<unknown>>();
  return new Proxy(calls, {
    get(target, key, receiver) {
      const known = mapped.get(key);
      if (known !== undefined) return known;
      const call: unknown = Reflect.get(target, key, receiver);
      if (typeof call !== 'function') return call;
      const guarded = async (...given: unknown[]) => {
        try {
          const result: unknown = await Reflect.apply(call, target, given);
          return result;
        } catch (error) {
          throw toStoreError(error);
        }
      };
      mapped.set(key, guarded);
      return guarded;
    },
  });
}
