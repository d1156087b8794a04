import type { Rate } from '../text/duration.ts';
import type { Fault } from './faults.ts';
import type { WindowKind } from './rate-window.ts';
import type { RetryAfter } from './retry-after.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** All times are in milliseconds. Every field is optional; `resolveOptions` has the defaults. */
export type SimulatorOptions = Partial<Settings> & {
  /** Multiplies the four lifetimes, except those that are given. */
  expiryScale?: number;
};

export type Settings = {
  /**
   * Whose API it is: kie's (Flux Kontext and the unified jobs, one account), that of Black Forest Labs, or one that only tests know.
   */
  provider: 'kie' | 'bfl' | 'keyed';
  host: string;
  /** 0 takes a free port. */
  port: number;
  /**
   * The beginning of image URLs, when others reach us by another name than we listen on. Empty means the address that
   * we listen on.
   */
  publicUrl: string;
  apiKey: string;
  /** The same seed and the same order of requests give the same durations, latencies and faults. */
  seed: number;

  /** The limit for new tasks. `timeScale` does not change it. */
  rate: Rate;
  window: WindowKind;
  /** Whether a request that is answered with 429 counts in the window. */
  refusalsCount: boolean;
  /** The limit for status queries. Always a sliding window. */
  pollRate: Rate;
  /** Tasks running at once. */
  maxTasks: number;
  retryAfter: RetryAfter;

  /**
   * The duration of a task is log-normal(`medianMs`, `sigma`) times `timeScale`, which also scales the waits between
   * callbacks.
   */
  medianMs: number;
  sigma: number;
  timeScale: number;

  originTtlMs: number;
  storedTtlMs: number;
  linkTtlMs: number;
  /** How long an uploaded picture is kept, and what is said of it where that is something else. */
  uploadTtlMs: number;
  uploadToldTtlMs?: number;
  /** Which of the two documented answers an upload has: only the quickstart's says how long it is kept. */
  uploadShape: 'quickstart' | 'reference';
  /** When a picture to start from is fetched: one that cannot be fails the task, or refuses the submit. */
  inputCheck: 'in-task' | 'at-submit';
  /** The HTTP status of an expired URL. */
  expiredStatus: 403 | 404;

  /** Added to every answer of the API: one half before the request is handled, the other after. */
  latencyMs: number;
  /** At most so much more, drawn separately for each half. */
  jitterMs: number;
  /** The delay of the faults `slow-answer` and `image-stall`. */
  slowAnswerMs: number;

  credits: number;
  /** Credits for one image; by default as the provider's page has them. */
  prices: { pro: number; max: number };
  /** Whether the credits of a failed task are refunded. */
  refundFailed: boolean;

  /** The key that signs callbacks. Empty: callbacks are unsigned. */
  webhookKey: string;
  callbackLostShare: number;
  callbackDuplicateShare: number;
  /** Calls the id `task_id` in callbacks, as one published sample does. */
  callbackSnakeCase: boolean;
  /** The timeout of a callback. */
  callbackTimeoutMs: number;

  faults: readonly Fault[];

  /** `drawn` shows the prompt. `plain` is drawn once and reused, for load tests. */
  pictures: 'drawn' | 'plain';
  /** The longest side, in pixels. */
  imageSize: number;
  /** Plain pictures are padded to this size. */
  imageBytes: number;
};

export function resolveOptions({ expiryScale = 1, ...given }: SimulatorOptions): Settings {
  return {
    provider: 'kie',
    host: '127.0.0.1',
    port: 0,
    publicUrl: '',
    apiKey: 'simulator-key',
    seed: 1,
    // BFL documents no rate.
    rate: given.provider === 'bfl' ? { max: 1_000, windowMs: 1_000 } : { max: 20, windowMs: 10_000 },
    window: 'sliding',
    refusalsCount: false,
    pollRate: { max: 10, windowMs: 1_000 },
    maxTasks: given.provider === 'bfl' ? 24 : 100,
    retryAfter: 'none',
    medianMs: 12_000,
    sigma: 0.35,
    timeScale: 1,
    originTtlMs: 10 * MINUTE_MS * expiryScale,
    storedTtlMs: 14 * DAY_MS * expiryScale,
    linkTtlMs: 20 * MINUTE_MS * expiryScale,
    uploadTtlMs: 3 * DAY_MS * expiryScale,
    uploadShape: 'quickstart',
    inputCheck: 'in-task',
    expiredStatus: 404,
    latencyMs: 0,
    jitterMs: 0,
    slowAnswerMs: 30_000,
    credits: 1_000_000,
    prices: { pro: 5, max: 10 },
    refundFailed: false,
    webhookKey: '',
    callbackLostShare: 0,
    callbackDuplicateShare: 0,
    callbackSnakeCase: false,
    callbackTimeoutMs: 15_000,
    faults: [],
    pictures: 'drawn',
    imageSize: 768,
    imageBytes: 100_000,
    ...given,
  };
}
