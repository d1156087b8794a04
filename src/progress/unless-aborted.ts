/** Undefined as soon as the signal is given: a Redis that is away has its commands wait for as long as it is. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let end = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  try {
    // The race also takes an error that comes too late.
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
