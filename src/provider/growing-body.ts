/** Where a large body waits for its turn. */
export type Room = {
  /** A body that is larger, or is declared to be, is not read on before it has entered. */
  readonly freeBytes: number;
  /** Never rejects. */
  enter(): Promise<void>;
};
export type GrowingBody = {
  add(chunk: Buffer): void;
  /** By its declared length, or by what has come of it. */
  isTooLong(): boolean;
  whole(): Buffer;
};

/**
 * With a `Content-Length`, and where it turns out to be large, chunks are copied into one buffer. Concatenating a large body at its
 * end would take twice its memory. What of a buffer is not written yet takes none.
 */
export function growingBody(
  announced: number,
  { maxBytes, room }: { maxBytes: number; room?: Room | undefined },
  readOnAfter: (isReady: Promise<void>) => void,
): GrowingBody {
  let whole: Buffer | undefined;
  if (announced > 0 && announced <= maxBytes) whole = Buffer.allocUnsafeSlow(announced);
  let chunks: Buffer[] = [];
  let length = 0;
  let isLarge = false;

  const enterIfLarge = (bytes: number): void => {
    if (isLarge || !room || bytes <= room.freeBytes || bytes > maxBytes) return;
    isLarge = true;
    whole ??= copyOf(chunks, maxBytes);
    chunks = [];
    readOnAfter(room.enter());
  };
  enterIfLarge(announced);

  return {
    add(chunk) {
      if (whole && length + chunk.length > whole.length) {
        chunks.push(whole.subarray(0, length));
        whole = undefined;
      }
      if (whole) chunk.copy(whole, length);
      else chunks.push(chunk);
      length += chunk.length;
      enterIfLarge(length);
    },
    isTooLong: () => announced > maxBytes || length > maxBytes,
    whole: () => whole?.subarray(0, length) ?? Buffer.concat(chunks),
  };
}

function copyOf(chunks: readonly Buffer[], bytes: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(copy, at);
  return copy;
}
