/** An answer that took too long; what waited for it is told apart from what was called off. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`no answer within ${afterMs / 1000} s`);
    this.afterMs = afterMs;
  }
}

/**
 * Runs with a signal that aborts at the caller's wish or after `afterMs`. Not `AbortSignal.any`: on Node 20 it keeps a
 * little memory for each call as long as the caller's signal lives, and ours lives as long as the process.
 */
export async function withDeadline<T>(
  afterMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const callOff = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new DeadlineError(afterMs)), afterMs);
  signal?.addEventListener('abort', callOff, { once: true });
  try {
    return await run(controller.signal);
  } catch (thrown) {
    // Whatever the client made of the abort, the reason is what happened.
    throw controller.signal.aborted ? controller.signal.reason : thrown;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', callOff);
  }
}
