import type { Rate } from '../text/duration.ts';
import type { Fault } from './faults.ts';
import type { WindowKind } from './rate-window.ts';
import type { RetryAfter } from './retry-after.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** All times in milliseconds. Every field may be left out; `resolveOptions` shows the defaults. */
export type SimulatorOptions = Partial<Settings> & {
  /** Multiplies those of the three lifetimes that are not given. */
  expiryScale?: number;
};

export type Settings = {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** What image URLs begin with, where others reach us by another name than we listen on; empty: that one. */
  publicUrl: string;
  apiKey: string;
  /** The same seed and the same order of requests: the same durations, latencies and faults. */
  seed: number;

  /** New tasks. Never compressed by `timeScale`. */
  rate: Rate;
  window: WindowKind;
  /** Whether a request answered with 429 takes a place of the window too. */
  refusalsCount: boolean;
  /** Status queries; always a sliding window. */
  pollRate: Rate;
  /** Tasks running at once. */
  maxTasks: number;
  retryAfter: RetryAfter;

  /** A task takes log-normal(`medianMs`, `sigma`) times `timeScale`; the waits between callbacks are scaled too. */
  medianMs: number;
  sigma: number;
  timeScale: number;

  originTtlMs: number;
  storedTtlMs: number;
  linkTtlMs: number;
  /** What a dead URL answers. */
  expiredStatus: 403 | 404;

  /** Added to every answer of the API: half on the way in, half on the way out. */
  latencyMs: number;
  /** Up to so much more, drawn for each way apart. */
  jitterMs: number;
  /** How late the faults `slow-answer` and `image-stall` are. */
  slowAnswerMs: number;

  credits: number;
  /** Credits for one image. */
  prices: { pro: number; max: number };
  /** Whether a task that fails gives its credits back. */
  refundFailed: boolean;

  /** Signs callbacks; empty: they go unsigned. */
  webhookKey: string;
  callbackLostShare: number;
  callbackDuplicateShare: number;
  /** Name the id `task_id` in callbacks, as one published sample does. */
  callbackSnakeCase: boolean;
  /** How long a callback waits for its 2xx. */
  callbackTimeoutMs: number;

  faults: readonly Fault[];

  /** `drawn` shows the prompt; `plain` costs no drawing, for load tests. */
  pictures: 'drawn' | 'plain';
  /** The longest side, in pixels. */
  imageSize: number;
  /** Plain pictures are padded to this size. */
  imageBytes: number;
};

export function resolveOptions({ expiryScale = 1, ...given }: SimulatorOptions): Settings {
  return {
    host: '127.0.0.1',
    port: 0,
    publicUrl: '',
    apiKey: 'simulator-key',
    seed: 1,
    rate: { max: 20, windowMs: 10_000 },
    window: 'sliding',
    refusalsCount: false,
    pollRate: { max: 10, windowMs: 1_000 },
    maxTasks: 100,
    retryAfter: 'none',
    medianMs: 12_000,
    sigma: 0.35,
    timeScale: 1,
    originTtlMs: 10 * MINUTE_MS * expiryScale,
    storedTtlMs: 14 * DAY_MS * expiryScale,
    linkTtlMs: 20 * MINUTE_MS * expiryScale,
    expiredStatus: 404,
    latencyMs: 0,
    jitterMs: 0,
    slowAnswerMs: 30_000,
    credits: 1_000_000,
    prices: { pro: 8, max: 12 },
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
