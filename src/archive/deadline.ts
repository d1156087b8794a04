/** No answer came in time. A class of its own, to tell a timeout from an abort by the caller. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`no answer within ${afterMs / 1000} s`);
    this.afterMs = afterMs;
  }
}

/**
 * Runs with a signal that aborts when the caller's does, or with a `DeadlineError` after `afterMs`. Do not use
 * `AbortSignal.any` here: on Node 20 it leaks a little memory per call while the caller's signal lives, and ours lives
 * as long as the process.
 */
export async function withDeadline<T>(
  afterMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new DeadlineError(afterMs)), afterMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await run(controller.signal);
  } catch (thrown) {
    // The client may throw an error of its own after an abort. The reason of the abort is what happened.
    throw controller.signal.aborted ? controller.signal.reason : thrown;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
