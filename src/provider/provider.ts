import type { ImageRequest } from '../items/item.ts';

/** Why the provider said no: one word for each code of its envelope that is known not to have started a task. */
export type Refusal =
  | 'content-policy' // 400
  | 'unauthorized' // 401
  | 'out-of-credits' // 402
  | 'not-found' // 404
  | 'invalid-parameters' // 422
  | 'rate-limited' // 429
  | 'maintenance' // 455
  | 'feature-disabled'; // 505

export type Refused = {
  kind: 'refused';
  refusal: Refusal;
  /** The envelope's code, or the HTTP status where there was no envelope. */
  code: number;
  message: string;
  /** From a `Retry-After` header, clamped; absent when there was none that can be read. */
  retryAfterMs?: number;
};

/** What became of a submit. `unknown` may have been charged: see "Unknown outcomes" in the API notes. */
export type SubmitOutcome =
  | { kind: 'accepted'; taskId: string }
  | Refused
  /** It is certain that no byte of the request went out. */
  | { kind: 'not-sent'; message: string }
  | { kind: 'unknown'; message: string; code?: number };

export type PollOutcome =
  | { kind: 'generating' }
  /** At least one URL is there. A success without any is reported as `generating`: the API shows that for a moment. */
  | { kind: 'succeeded'; originUrl?: string; storedUrl?: string; completedAt?: number }
  /** Success flags 2 (creating the task failed) and 3 (generation failed). */
  | { kind: 'failed'; flag: 2 | 3; code?: number; message: string }
  /** The provider does not know the task, or not yet. */
  | { kind: 'not-found'; message: string }
  | Refused
  /** The question did not get through or the answer could not be read: nothing is known, ask again. */
  | { kind: 'unreachable'; message: string };

/** A temporary link to a file that the provider generated (valid 20 minutes). */
export type LinkOutcome =
  | { kind: 'link'; url: string }
  | { kind: 'not-found'; message: string }
  | Refused
  | { kind: 'unreachable'; message: string };

export type CreditsOutcome = { kind: 'credits'; credits: number } | Refused | { kind: 'unreachable'; message: string };

export type CallOptions = { signal?: AbortSignal };
export type SubmitOptions = CallOptions & {
  callBackUrl?: string;
  /** Called once, synchronously, when the request is handed to an open connection: the limiter counts from here. */
  onSent?: () => void;
};

/**
 * The image API. No method ever throws for what the other side or the network does: that is in the outcome. An aborted
 * `signal` is an outcome too (`not-sent`, `unknown` or `unreachable`, whichever is true). Nothing is retried inside.
 */
export interface Provider {
  submit(request: ImageRequest, options?: SubmitOptions): Promise<SubmitOutcome>;
  poll(taskId: string, options?: CallOptions): Promise<PollOutcome>;
  link(url: string, options?: CallOptions): Promise<LinkOutcome>;
  credits(options?: CallOptions): Promise<CreditsOutcome>;
  close(): Promise<void>;
}
