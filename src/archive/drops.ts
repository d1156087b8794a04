/** A file of a drop. `version` changes with its content, and whenever it is put there anew. */
export type DropFile = {
  /** Below the place, separated by `/`. */
  path: string;
  bytes: number;
  /** When it was put there or last changed, epoch milliseconds by the clock of the store. */
  changedMs: number;
  version: string;
  /** False for links, pipes and devices: they are not opened. */
  isPlain: boolean;
};

/** What somebody has put into an inbox: a file, or a folder with all that is in it. */
export type Drop = {
  /** The last part of its path. */
  name: string;
  isFolder: boolean;
  changedMs: number;
  files: readonly DropFile[];
  /** It has more files than are listed here. */
  isCut: boolean;
};

/** A drop, or a file of it, is not what was seen any more: somebody has changed, moved or replaced it. */
export class DropChanged extends Error {
  override readonly name = 'DropChanged';
}

/**
 * Where manifests are dropped: a folder, or a prefix of a bucket. Paths are relative and separated by `/`. Nothing that was
 * dropped is ever overwritten or removed before it stands elsewhere. Throws the archive's errors.
 */
export interface DropPlace {
  /** For people: `s3://bucket/prefix` or an absolute path. */
  readonly url: string;
  /** What is listed is whole. */
  readonly wholeWhenListed: boolean;
  /** Makes it where it is missing, and proves that it can be written to. */
  prepare(): Promise<void>;
  /** What lies in it. Names that begin with a dot are left out. `but`: folders not to look into. */
  drops(but: readonly string[], signal?: AbortSignal): Promise<Drop[]>;
  /** One of them, where it lies in a folder; undefined when it is not there. */
  find(folder: string, name: string): Promise<Drop | undefined>;
  /** The names in a folder: of files, and of folders with a `/` at their end. */
  names(folder: string): Promise<string[]>;
  /** Brings a file to a path of this machine. Throws a `DropChanged`. */
  fetch(file: DropFile, to: string, signal?: AbortSignal): Promise<void>;
  /** Of our own files. */
  read(path: string): Promise<Buffer | undefined>;
  /** Only if the path is free; false when it is not. */
  create(path: string, body: Buffer, contentType: string): Promise<boolean>;
  write(path: string, body: Buffer, contentType: string): Promise<void>;
  remove(path: string): Promise<void>;
  /**
   * Moves a drop from a folder (`''`: the place itself) to another under a name that is free there. False, and nothing moved, when
   * it is too large to be moved. Throws a `DropChanged` when it is not what was seen.
   */
  move(drop: Drop, from: string, to: string, as: string): Promise<boolean>;
  /** Goes on with a move from this path that a killed process has begun; true when there was one. */
  resumeMove(path: string): Promise<boolean>;
  /** Where moves come from that were begun and have not ended. */
  moving(): Promise<string[]>;
  close(): Promise<void>;
}

/** A drop of more files is not looked at any further. */
export const MOST_FILES = 2_000;
