import type { ImageRequest } from '../items/item.ts';

/** Why the provider refused. One word for each envelope code that is known to have started no task. */
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
  /** From a `Retry-After` header, 0 to 10 minutes. Absent when the header is missing or unreadable. */
  retryAfterMs?: number;
};

/** The outcome of a submit. `unknown` may have been charged: see "Unknown outcomes" in the API notes. */
export type SubmitOutcome =
  | { kind: 'accepted'; taskId: string }
  | Refused
  /** For certain, no byte of the request was sent. */
  | { kind: 'not-sent'; message: string }
  | { kind: 'unknown'; message: string; code?: number };

/** `prompt`: what the task was started with, where the answer repeats it. */
type Asked = { prompt?: string };

export type PollOutcome =
  /** `said`: it is a success by its flag, and yet names no image in a way that we know. */
  | ({ kind: 'generating'; said?: string } & Asked)
  /** At least one URL is present. `completedAt` is in epoch milliseconds. */
  | ({ kind: 'succeeded'; originUrl?: string; storedUrl?: string; completedAt?: number } & Asked)
  /** Success flags 2 (creating the task failed) and 3 (generation failed). */
  | ({ kind: 'failed'; flag: 2 | 3; code?: number; message: string } & Asked)
  /** The provider does not know the task, or does not know it yet. */
  | { kind: 'not-found'; message: string }
  | Refused
  /** There was no answer, or it was unreadable. Nothing is known; ask again. */
  | { kind: 'unreachable'; message: string };

/** A temporary link to a file that the provider generated. It is valid for 20 minutes. */
export type LinkOutcome =
  | { kind: 'link'; url: string }
  | { kind: 'not-found'; message: string }
  | Refused
  | { kind: 'unreachable'; message: string };

export type CreditsOutcome = { kind: 'credits'; credits: number } | Refused | { kind: 'unreachable'; message: string };

export type CallOptions = { signal?: AbortSignal };
export type SubmitOptions = CallOptions & {
  callBackUrl?: string;
  /**
   * Called once, synchronously, when the request is handed to an open connection. The limiter counts from this moment.
   */
  onSent?: () => void;
};

/**
 * The image API. No method throws for an error of the server or the network: that is an outcome. An aborted `signal` is
 * an outcome too (`not-sent`, `unknown` or `unreachable`, whichever is true). Nothing is retried here.
 */
export interface Provider {
  submit(request: ImageRequest, options?: SubmitOptions): Promise<SubmitOutcome>;
  poll(taskId: string, options?: CallOptions): Promise<PollOutcome>;
  link(url: string, options?: CallOptions): Promise<LinkOutcome>;
  credits(options?: CallOptions): Promise<CreditsOutcome>;
  close(): Promise<void>;
}
