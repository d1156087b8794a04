import type { ImageRequest, Item } from '../items/item.ts';

/** Pictures that an account holds for a time, by their digests. What is dead, or soon, is not found. */
export interface Uploads {
  find(sha256: string): Promise<{ url: string; goodUntil: number } | undefined>;
  remember(sha256: string, upload: { url: string; goodUntil: number }, now: number): Promise<void>;
  /** The provider cannot fetch it, whatever was said of its life. */
  forget(sha256: string, url: string): Promise<void>;
}

/**
 * A request that the provider can read, until then. `isFresh`: none of its pictures had been uploaded before. `release` once it was sent, or will not be.
 */
export type ReadyInputs = {
  kind: 'ready';
  request: ImageRequest;
  goodUntil: number;
  isFresh: boolean;
  release(): void;
};
/** `refused`: they can never be sent, or not before a person has done something about it. */
export type PreparedInputs =
  | ReadyInputs
  | { kind: 'later'; atMs: number }
  | { kind: 'refused'; message: string; remedy?: string };

/** Makes the pictures of one's own that a request names reachable for its provider. */
export interface Inputs {
  prepare(item: Item, signal: AbortSignal): Promise<PreparedInputs>;
  /** Its provider says that it cannot fetch them. */
  forget(request: ImageRequest): Promise<void>;
}

export type InputSettings = {
  /** `auto`: a signed URL of the archive where the provider can reach it. */
  urls: 'auto' | 'presign' | 'upload';
  urlLifeMs: number;
  isReachable(url: string): boolean;
};
