/** Lets so many at once through; the others wait in the order they came. */
export interface Places {
  /** Resolves with what gives the place back. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>;
}

export function createPlaces(places: number): Places {
  let free = places;
  const waiting: (() => void)[] = [];
  const giveBack = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) free -= 1;
      else await waitForPlace(waiting, signal);
      return giveBack;
    },
  };
}

async function waitForPlace(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  let leave = (): void => undefined;
  await new Promise<void>(resolve => {
    waiting.push(resolve);
    leave = () => {
      const place = waiting.indexOf(resolve);
      if (place >= 0) waiting.splice(place, 1);
      resolve();
    };
    signal.addEventListener('abort', leave, { once: true });
  });
  signal.removeEventListener('abort', leave);
  signal.throwIfAborted();
}
