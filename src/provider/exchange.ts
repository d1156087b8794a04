import type { Dispatcher } from 'undici';
import { messageOf } from '../errors.ts';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What became of one request. */
export type Exchange =
  | { kind: 'answer'; status: number; headers: ResponseHeaders; body: Buffer }
  /** The body is, or says that it is, longer than `maxBytes`; it was not read to its end. */
  | { kind: 'too-long'; status: number; headers: ResponseHeaders }
  /** It is certain that no byte of the request went out. */
  | { kind: 'not-sent'; message: string; cause: unknown }
  /** The request was handed to an open connection, and no whole answer came back. */
  | { kind: 'lost'; message: string; cause: unknown };

export type ExchangeOptions = {
  /** From the call to the last byte of the answer, the wait for a connection included. */
  totalTimeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /** Called once, synchronously, when the request is handed to an open connection. */
  onSent?: (() => void) | undefined;
};

/**
 * One request and its whole answer. Never throws and never repeats a request.
 *
 * Where `not-sent` ends: undici calls `onRequestStart` from `writeH1` (lib/dispatcher/client-h1.js) with the connected, for
 * https the secured, socket in hand, and writes the bytes in the same synchronous run; if the hook throws, the request is
 * dropped unwritten and the connection stays usable. So before the hook nothing went out, and after it anything may have.
 *
 * What cannot be known: a kept-alive connection that the server closes just as we write looks the same whether the server
 * read the request or not. That is `lost`. undici yields once before it reuses an idle connection, so that a close that has
 * already arrived is seen first; the rest is up to short keep-alive times.
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
    /** Settles at once; a request that still waits for a connection is dropped when its turn comes. */
    const giveUp = (cause: Error): void => {
      fail(cause);
      controller?.abort(cause);
    };
    const onAbort = (): void => giveUp(new Error('aborted', { cause: signal?.reason }));
    const deadline = setTimeout(
      () => giveUp(new Error(`no whole answer within ${options.totalTimeoutMs} ms`)),
      options.totalTimeoutMs,
    );
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort);

    const tooLong = (status: number, headers: ResponseHeaders): void => {
      settle({ kind: 'too-long', status, headers });
      controller?.abort(new Error(`a body over ${maxBytes} bytes`));
    };

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // Throwing keeps the connection; aborting would close it.
        if (settled) throw new Error('given up before it was sent');
        if (controller !== undefined) throw new Error('a request is never sent a second time');
        options.onSent?.();
        controller = started;
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200 || settled) return;
        head = { status, headers };
        const announced = Number(headers['content-length']);
        if (announced > maxBytes) tooLong(status, headers);
        else body = growingBody(announced);
      },
      onResponseData(_controller, chunk) {
        if (settled || head === undefined || body === undefined) return;
        if (body.length() + chunk.length > maxBytes) tooLong(head.status, head.headers);
        else body.add(chunk);
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

type GrowingBody = { length(): number; add(chunk: Buffer): void; whole(): Buffer };

/** Written into its place where its length was announced: joining large bodies at their end would take twice their memory. */
function growingBody(announced: number): GrowingBody {
  let place = Number.isSafeInteger(announced) && announced > 0 ? Buffer.allocUnsafeSlow(announced) : undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    length: () => length,
    add(chunk) {
      if (place && length + chunk.length > place.length) {
        chunks.push(place.subarray(0, length));
        place = undefined;
      }
      if (place) chunk.copy(place, length);
      else chunks.push(chunk);
      length += chunk.length;
    },
    whole: () => place?.subarray(0, length) ?? Buffer.concat(chunks),
  };
}

/** A connection tried by several addresses fails with an AggregateError that has no message of its own. */
function describeFailure(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join('; ');
  return messageOf(cause) || 'the connection failed';
}
