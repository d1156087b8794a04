import type { GrowingBody } from './growing-body.ts';

/** Takes the next piece of a body. The following ones wait for it; when it rejects, the download ends. */
export type Sink = (piece: Buffer) => Promise<void>;

/** A body that is handed on as it comes, up to `maxBytes`, and of which nothing stays in memory. */
export function streamedBody(sink: Sink, maxBytes: number, readOnAfter: (isReady: Promise<void>) => void) {
  let taken = Promise.resolve();
  let length = 0;
  const body: GrowingBody = {
    add(chunk) {
      // The chunk is the client's own memory, which it uses again.
      const piece = Buffer.from(chunk.subarray(0, Math.max(0, maxBytes - length)));
      length += chunk.length;
      if (piece.length === 0) return;
      taken = taken.then(() => sink(piece));
      readOnAfter(taken);
    },
    isTooLong: () => length > maxBytes,
    whole: () => Buffer.alloc(0),
  };
  return { body, taken: () => taken };
}
