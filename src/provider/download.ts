/** Where a body can be fetched from. */
export type DownloadOutcome =
  | { kind: 'body'; body: Buffer; contentType: string | undefined }
  /** 403, 404 or 410: it is not there (any more). */
  | { kind: 'gone'; status: number }
  /** The address check or the byte cap said no; asking again is of no use. */
  | { kind: 'refused'; message: string }
  /** Anything that may be different the next time: resets, timeouts, 5xx, a body shorter than declared. */
  | { kind: 'broken'; message: string };

/** Fetches a public URL whole, without credentials. Never throws for what the other side or the network does. */
export type Download = (url: string, options: { maxBytes: number; signal?: AbortSignal }) => Promise<DownloadOutcome>;
