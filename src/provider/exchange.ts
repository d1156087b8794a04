import type { Dispatcher } from 'undici';
import { messageOf } from '../errors.ts';
import { refusedCertificate } from '../network/certificates.ts';
import { type GrowingBody, growingBody, type Room } from './growing-body.ts';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The result of one request. */
export type Exchange =
  | { kind: 'answer'; status: number; headers: ResponseHeaders; body: Buffer }
  /** The body is longer than `maxBytes`, or is declared to be. It was not read to its end. */
  | { kind: 'too-long'; status: number; headers: ResponseHeaders }
  /** For certain, no byte of the request was sent. */
  | { kind: 'not-sent'; message: string; cause: unknown }
  /** The request was handed to an open connection, and no complete answer came. The server may have received it. */
  | { kind: 'lost'; message: string; cause: unknown };

export type ExchangeOptions = {
  /** From the call to the last byte of the answer, including the wait for a connection. */
  totalTimeoutMs: number;
  maxBytes: number;
  room?: Room | undefined;
  signal?: AbortSignal | undefined;
  /** Where the body of an answer with this status goes; by default into memory. */
  bodyFor?: ((status: number, readOnAfter: (isReady: Promise<void>) => void) => GrowingBody | undefined) | undefined;
  /** Called once, synchronously, when the request is handed to an open connection. */
  onSent?: (() => void) | undefined;
};

/**
 * Sends one request and reads its whole answer. Never throws and never retries.
 *
 * The border between `not-sent` and `lost`: undici calls `onRequestStart` from `writeH1` (lib/dispatcher/client-h1.js)
 * when the socket is connected and, for https, secured. It writes the bytes in the same synchronous run. If the hook
 * throws, the request is dropped unwritten, and the connection stays usable. So nothing was sent before the hook, and
 * anything may have been sent after it.
 *
 * What cannot be known: the server may close a kept-alive connection just as we write. Whether it read the request
 * looks the same from here, so the result is `lost`. undici yields once before it reuses an idle connection, so that it
 * sees a close that has already arrived. Short keep-alive times make the rest rare (`api-calls.ts`).
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: ExchangeOptions,
): Promise<Exchange> {
  const { signal, maxBytes } = options;
  return new Promise((resolve) => {
    let settled = false;
    let controller: Dispatcher.DispatchController | undefined;
    let head: { status: number; headers: ResponseHeaders } | undefined;
    let body: GrowingBody | undefined;

    const settle = (result: Exchange): void => {
      if (settled) return;
      settled = true;
      clearTimeout(deadline);
      signal?.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const fail = (cause: unknown): void =>
      settle({ kind: controller === undefined ? 'not-sent' : 'lost', message: describeFailure(cause), cause });
    /** Settles at once. A request that still waits for a connection is dropped when its turn comes. */
    const giveUp = (cause: Error): void => {
      fail(cause);
      controller?.abort(cause);
    };
    const onAbort = (): void => giveUp(new Error('aborted', { cause: signal?.reason }));
    const deadline = setTimeout(
      () => giveUp(new Error(`no whole answer within ${options.totalTimeoutMs} ms`)),
      options.totalTimeoutMs,
    );
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort);

    const tooLong = (status: number, headers: ResponseHeaders): void => {
      settle({ kind: 'too-long', status, headers });
      controller?.abort(new Error(`a body over ${maxBytes} bytes`));
    };

    /** Its wait counts in the total time, and not as a silence of the server. */
    const readOnAfter = (isReady: Promise<void>): void => {
      controller?.pause();
      isReady.then(() => (settled ? undefined : controller?.resume()), giveUp);
    };

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // Throwing keeps the connection open. Aborting would close it.
        if (settled) throw new Error('given up before it was sent');
        if (controller !== undefined) throw new Error('a request is never sent a second time');
        options.onSent?.();
        controller = started;
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200 || settled) return;
        head = { status, headers };
        body = options.bodyFor?.(status, readOnAfter) ?? growingBody(lengthIn(headers), options, readOnAfter);
        if (body.isTooLong()) tooLong(status, headers);
      },
      onResponseData(_controller, chunk) {
        if (settled || head === undefined || body === undefined) return;
        body.add(chunk);
        if (body.isTooLong()) tooLong(head.status, head.headers);
      },
      onResponseEnd() {
        if (head === undefined || body === undefined) fail(new Error('an answer without a status'));
        else settle({ kind: 'answer', ...head, body: body.whole() });
      },
      onResponseError: (_controller, error) => fail(error),
    };
    try {
      dispatcher.dispatch(request, handler);
    } catch (thrown) {
      fail(thrown);
    }
  });
}

const lengthIn = (headers: ResponseHeaders) => Number(headers['content-length']);

/** A connection that was tried at several addresses fails with an AggregateError, which has no message of its own. */
function describeFailure(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join('; ');
  const refused = refusedCertificate(cause);
  if (refused) return `${messageOf(cause)}: ${refused.why}. ${refused.hint}`;
  return messageOf(cause) || 'the connection failed';
}
