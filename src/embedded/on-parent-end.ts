/**
 * Calls `handler` once when the process that started this one ends, or its terminal is closed. `npm start` is a chain of
 * processes; when its upper part is killed with -9, nobody forwards a signal, and everything below would run on unseen.
 *
 * @returns a function that stops watching
 */
export function onParentEnd(handler: () => void): () => void {
  const parent = process.ppid;
  let called = false;
  const call = () => {
    if (called) return;
    called = true;
    clearInterval(timer);
    handler();
  };
  // process.ppid asks the system on every read; an orphan is adopted by another process.
  const timer = setInterval(() => void (process.ppid !== parent && call()), 500);
  timer.unref();

  process.on('SIGHUP', call);
  // A closed terminal takes no more output; that must not end the process before it has stopped what it started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignore);
  return () => {
    clearInterval(timer);
    process.removeListener('SIGHUP', call);
  };
}

const ignore = () => undefined;
