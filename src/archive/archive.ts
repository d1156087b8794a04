export type WriteOptions = {
  contentType: string;
  /** Of the body, lower-case hex, where it is known already: it need not be computed again. */
  sha256?: string;
  signal?: AbortSignal;
};

/** The content of a key, and its version. Different bytes have different versions. */
export type Versioned = { body: Buffer; version: string };

/** A key as a listing has it. A key whose mark is the same still has the same content; an empty mark proves nothing. */
export type Marked = {
  key: string;
  mark: string;
  /** Epoch milliseconds. */
  modifiedAt: number;
};

export type MarksOptions = {
  /** Told of some keys at a time. */
  onPage: (page: readonly Marked[]) => void;
  /** Keys that part the listing into about equal shares, where they are known: the shares are listed at once. */
  splits?: readonly string[];
  signal?: AbortSignal | undefined;
};

/** What a store can do for us, found out by trying. `isThere`: false where the bucket or the folder is still to be made. */
export type Examination =
  | { isThere: false }
  | {
      isThere: true;
      /** Honours conditions on writes, which fence two processes that write one key. */
      conditional: boolean;
      removes: boolean;
    };

/** A file that is being written and that nobody can see yet. End it with exactly one of `commit` and `discard`. */
export interface PendingFile {
  append(part: Buffer): Promise<void>;
  /** The file is complete and durable when this resolves. It replaces an existing one. */
  commit(): Promise<void>;
  /** Removes what was written so far. Never throws. */
  discard(): Promise<void>;
}

/**
 * The store of images, records and indexes: a folder or a bucket prefix, with the same layout in both. Keys are
 * relative, separated by `/`, and made of our own ids only. A write is complete and durable when its promise resolves.
 * A partial file is never visible.
 *
 * Errors: a `FluxError` with code `archive-unreachable` (transient: network, 5xx, throttling), `archive-denied`
 * (credentials or rights), `archive-full` (no space, quota) or `archive-corrupt` (the stored bytes differ from those
 * that were sent).
 */
export interface Archive {
  /** For people: `s3://bucket/prefix` or an absolute folder path. */
  readonly url: string;
  /** Writes and removes a probe, to check that images can be stored. Creates a missing bucket or folder. */
  prepare(signal?: AbortSignal): Promise<void>;
  /** Writes, reads, lists and removes a probe, and makes neither a bucket nor a folder. */
  examine(signal?: AbortSignal): Promise<Examination>;
  /** Undefined when there is no such key. */
  read(key: string, signal?: AbortSignal): Promise<Buffer | undefined>;
  readVersioned(key: string, signal?: AbortSignal): Promise<Versioned | undefined>;
  /** So many bytes from this offset on, fewer at the end of the key; undefined when there is no such key, or it ends before. */
  readPart(key: string, from: number, bytes: number): Promise<Buffer | undefined>;
  /** Overwrites what is there. A key that several processes write is written by `create` and `replace` only. */
  write(key: string, body: Buffer, options: WriteOptions): Promise<void>;
  /**
   * Writes only if the key is absent, and returns its version; undefined if it exists. This fences two workers that claim the
   * same item.
   */
  create(key: string, body: Buffer, options: WriteOptions): Promise<string | undefined>;
  /**
   * Writes only if the key still has the version `was`, and returns the new version; undefined if it has another or is absent.
   * A process that replaces what it has read overwrites nobody's change.
   */
  replace(key: string, body: Buffer, options: WriteOptions & { was: string }): Promise<string | undefined>;
  /** For files that are too large for memory. They are appended part by part; at most 8 MB are held. */
  begin(key: string, options: WriteOptions): Promise<PendingFile>;
  /**
   * The keys under a prefix that ends in `/`, in byte order. Holds a page of keys (S3) or the names of a folder at a
   * time.
   */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<string>;
  /**
   * The keys under a prefix that ends in `/`, each once and in no order, with their marks. Content is not read. Folders below the
   * prefix are left out, but for one in the place of a file, which has an empty mark.
   */
  marks(prefix: string, options: MarksOptions): Promise<void>;
  /** As `readVersioned`, with the mark that a listing has of just this content. */
  readMarked(key: string, signal?: AbortSignal): Promise<(Versioned & { mark: string }) | undefined>;
  /** The mark of the content that has this version; undefined where the one does not tell the other. */
  markOf(version: string): string | undefined;
  /** Removes what nobody needs any more. One that is not there is no error. */
  remove(key: string, signal?: AbortSignal): Promise<void>;
  /** Removes below a prefix that ends in `/` what killed processes left unfinished, and was so for an hour. Returns how many. */
  tidy(prefix: string): Promise<number>;
  close(): Promise<void>;
}
