import type { InputExtension } from '../items/input-reference.ts';
import type { ImageRequest } from '../items/item.ts';
import type { FoundSource } from '../items/sources.ts';
import type { Rate } from '../text/duration.ts';

/** Why the provider refused, that is, started no task. Each adapter knows which of its answers say so; the codes are kie's. */
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

/** Why a task failed that had been started. */
export type FailureClass = 'content-policy' | 'invalid-parameters' | 'generation-failed';

/** Whether it costs something all the same. */
export type Charged = 'yes' | 'no' | 'unknown';

/**
 * The outcome of a submit. `unknown` may have been charged: see "Unknown outcomes" in the API notes. `handle` is opaque: what the
 * adapter polls by, such as an id or a URL. `credits`: what it costs by the provider's own word, in its credits.
 */
export type SubmitOutcome =
  /** `ended`: some answer with the result at once. */
  | { kind: 'accepted'; handle: string; credits?: number; ended?: Succeeded | Failed }
  | Refused
  /** For certain, no byte of the request was sent. */
  | { kind: 'not-sent'; message: string }
  | { kind: 'unknown'; message: string; code?: number };

/** What a task has come to be, and where its images can be had, the best place first. */
export type Succeeded = {
  kind: 'succeeded';
  /** Of the first image. At least one. A `link` source's URL goes back to `link` as it is: for some it is the handle. */
  sources: readonly FoundSource[];
  /** Further images of the task, each with its own sources; none where the answer has a place for it and no URL. */
  more?: readonly { sources: readonly FoundSource[] }[];
  /** Epoch milliseconds. */
  completedAt?: number;
  /** What it has cost by the provider's own word, in its credits. */
  credits?: number;
};

/** The task is over without an image. `stage`: what the policy did not like, where the provider says so. */
export type Failed = {
  kind: 'failed';
  reason: FailureClass;
  stage?: 'input' | 'output';
  charged: Charged;
  code?: number;
  message: string;
  credits?: number;
};

/** `prompt`: what the task was started with, where the answer repeats it. */
type Asked = { prompt?: string };

export type PollOutcome =
  /** `said`: it is a success by its flag, and yet names no image in a way that we know. */
  | ({ kind: 'generating'; said?: string } & Asked)
  | (Succeeded & Asked)
  | (Failed & Asked)
  /** The provider does not know the task, or does not know it yet. */
  | { kind: 'not-found'; message: string }
  | Refused
  /** There was no answer, or it was unreadable. Nothing is known; ask again. */
  | { kind: 'unreachable'; message: string };

/** A temporary link to a file that the provider generated, in exchange for the URL of a `link` source. */
export type LinkOutcome =
  | { kind: 'link'; url: string }
  | { kind: 'not-found'; message: string }
  | Refused
  | { kind: 'unreachable'; message: string };

export type CreditsOutcome = { kind: 'credits'; credits: number } | Refused | { kind: 'unreachable'; message: string };

/** A picture to start from that the provider is to be given. */
export type Picture = { sha256: string; extension: InputExtension; contentType: string; body: Buffer };

/** Where the provider itself can fetch it, until `diesAt` (epoch milliseconds). */
export type UploadOutcome =
  | { kind: 'uploaded'; url: string; diesAt: number }
  | Refused
  | { kind: 'unreachable'; message: string };

export type CallOptions = {
  signal?: AbortSignal;
  /**
   * Called once, synchronously, when the request is handed to an open connection. The limiter counts from this moment.
   */
  onSent?: () => void;
};
export type SubmitOptions = CallOptions & {
  callBackUrl?: string;
  /** Only where `facts` say that the API knows such keys: all submits that bear it are one task. */
  submitKey?: string;
};

/** Which limits an account has by the API's documentation. What is absent is not documented; settings may say something else. */
export type Limits = {
  /** New tasks. */
  submits?: Rate;
  /** Status queries. */
  polls?: Rate;
  /** Tasks that run at once: of all models together, and of some alone. */
  running?: number;
  runningOf?: Readonly<Record<string, number>>;
  /** What becomes of a submit beyond them. */
  beyond: 'refused' | 'queued';
  /** Headers of a refusal that may say for how long, the first first. */
  headers: readonly string[];
};

/** What others must know of an API, by its documentation. */
export type ProviderFacts = {
  limits: Limits;
  /** It takes a key of ours with a submit, and starts one task for all submits of this time that bear the same. Absent: none is known. */
  submitKey?: { rememberedMs: number };
};

/**
 * The image API. No method throws for an error of the server or the network: that is an outcome. An aborted `signal` is
 * an outcome too (`not-sent`, `unknown` or `unreachable`, whichever is true). Nothing is retried here.
 */
export interface Provider {
  readonly facts: ProviderFacts;
  submit(request: ImageRequest, options?: SubmitOptions): Promise<SubmitOutcome>;
  poll(handle: string, options?: CallOptions): Promise<PollOutcome>;
  link(url: string, options?: CallOptions): Promise<LinkOutcome>;
  credits(options?: CallOptions): Promise<CreditsOutcome>;
  /** Where the API keeps files for a time; free, and no submit. */
  upload?(picture: Picture, options?: CallOptions): Promise<UploadOutcome>;
  /** What may stand in a request in place of a URL, where the API takes pictures so. */
  inlineOf?(picture: Picture): string;
  close(): Promise<void>;
}
