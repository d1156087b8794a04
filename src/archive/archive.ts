export type WriteOptions = { contentType: string; signal?: AbortSignal };

/** What a key holds, and the version of it. Equal bytes may have equal versions, other bytes never have. */
export type Versioned = { body: Buffer; version: string };

/** A file that grows unseen. Exactly one of `commit` and `discard` ends it. */
export interface PendingFile {
  append(part: Buffer): Promise<void>;
  /** Whole and durable when this resolves, in place of what was there. */
  commit(): Promise<void>;
  /** As if it had never been begun; never throws. */
  discard(): Promise<void>;
}

/**
 * Where everything ends: a folder or a bucket prefix, the same layout in both. Keys are relative, `/`-separated and
 * made of our own ids only. A write is whole and durable when its promise resolves, and nobody ever sees a part of it.
 *
 * Errors: a `FluxError` with code `archive-unreachable` (may pass: network, 5xx, throttling), `archive-denied`
 * (credentials or rights), `archive-full` (no space, quota) or `archive-corrupt` (what was stored is not what was sent).
 */
export interface Archive {
  /** As a person would name it: `s3://bucket/prefix` or an absolute folder path. */
  readonly url: string;
  /** Proves, by writing and removing a probe, that images can be stored; creates a missing bucket or folder. */
  prepare(signal?: AbortSignal): Promise<void>;
  read(key: string, signal?: AbortSignal): Promise<Buffer | undefined>;
  readVersioned(key: string, signal?: AbortSignal): Promise<Versioned | undefined>;
  /** Looks at nothing that is there: for keys that have one writer. What several may write is created and replaced. */
  write(key: string, body: Buffer, options: WriteOptions): Promise<void>;
  /** Writes only when the key is absent, and resolves with its version; undefined when it was there. This is what fences two claims of one item. */
  create(key: string, body: Buffer, options: WriteOptions): Promise<string | undefined>;
  /**
   * Writes only over this version. Resolves with the new one; with undefined when another is there by now, or nothing. Whoever
   * replaces what they have read undoes nobody's write.
   */
  replace(key: string, body: Buffer, options: WriteOptions & { was: string }): Promise<string | undefined>;
  /** For what is too large to hold: appended part by part, with a part of it in memory (8 MB at most). */
  begin(key: string, options: WriteOptions): Promise<PendingFile>;
  /** The keys under a prefix that ends in `/`, in byte order, a page at a time in memory. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<string>;
  close(): Promise<void>;
}
