/// <reference lib="esnext.disposable" preserve="true" />

import type { Outlook } from '../batch/counts.ts';
import type { GivenSettings } from '../config.ts';
import type { ItemState } from '../items/item-state.ts';
import type { Row } from '../results/row.ts';
import type { WorkerStage } from '../wiring/fleet.ts';
import type { LoadedManifest } from './load-manifest.ts';

/**
 * The names and meanings of the environment variables, `{ FLUX_RATE_LIMIT: '20/10s', FLUX_MAX_TASKS: 50 }`. What is not given
 * has its default: neither the environment nor `.env` is read unless you hand it over, as `process.env`.
 */
export type Settings = GivenSettings;

export type OpenOptions = {
  /** Takes log lines (JSON, secrets masked) of LOG_LEVEL, by default `info`. Without it nothing is logged anywhere. */
  log?: (line: string) => void;
};

export type EnqueueOptions = {
  /** Credits that the batch may cost, all its runs together; BUDGET_CREDITS by default. What is beyond it waits. */
  budget?: number;
  /** Of the batch: 0, the default, goes first, larger numbers later. */
  priority?: number;
  /** Rejects with its reason; enqueueing the manifest again goes on. */
  signal?: AbortSignal;
};

/** What enqueueing came to: items of the manifest, and of these the submits and the queries for running tasks to come. */
export type Enqueued = { items: number; submits: number; polls: number };

export type FollowOptions = { signal?: AbortSignal };

/** A batch at one moment. Times are epoch milliseconds. */
export type Progress = {
  batch: string;
  at: number;
  /** The iteration ends after `ended`, `out-of-budget` and `stopped` (see `reason`). */
  outlook: Outlook;
  /** Items by where they stand. */
  items: Record<ItemState, number>;
  total: number;
  /** Archived, failed, held or cancelled. */
  done: number;
  /** What its tasks cost as far as is known, and what submits may have cost of which nobody knows. */
  credits: number;
  perhaps: number;
  /** Queued items that the budget does not allow, and what they would cost. */
  beyondBudget: { items: number; credits: number };
  /** Why submitting is stopped for all batches; null while it is not. */
  reason: { refusal: string; message: string } | null;
};

export type ResultsOptions = {
  /** Conditions that must all hold, as of `flux-batch results --where`: `state=archived`, `color=red,blue`, `name!=hero*`. */
  where?: string | readonly string[];
  signal?: AbortSignal;
};

/** A row of results.jsonl, its variables as an object. */
export type ResultRow = Omit<Row, 'variables'> & { variables: Readonly<Record<string, string>> };

/** Workers of this process. */
export type Workers = {
  /**
   * Takes nothing new and lets what is under way be recorded. False when that took longer than `withinMs` (the submit timeout
   * and 15 s by default): other workers, or the next start, take the rest over.
   */
  drain(withinMs?: number): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * One Redis, one archive, one account. Redis is connected to (without REDIS_URL: started in `.flux-batch/`) when it is first
 * needed. Errors are `FluxError`s with a `code`; after `close` all methods throw `closed`.
 */
export type FluxBatch = {
  /**
   * Takes a manifest into the queues; once more goes on where it stopped and submits nothing twice. Nobody is asked what may be
   * spent (CONFIRM_CREDITS is for people): give a budget. Throws `price-missing`, `archive-differs`, `redis-unreachable` and others.
   */
  enqueue(manifest: LoadedManifest, options?: EnqueueOptions): Promise<Enqueued>;
  /** Starts workers on whatever is enqueued, by anyone, for this archive. Throws `api-key-missing`, `api-key-refused` and others. */
  work(stages?: readonly WorkerStage[]): Promise<Workers>;
  /**
   * The batch as it is and whenever it has changed, at most four times a second, until there is nothing to wait for. Throws
   * `batch-unknown`, `batch-lost` when Redis was emptied (enqueue again), what stops the workers of this object (`archive-full`,
   * `archive-denied`), and the signal's reason.
   */
  follow(batch: string, options?: FollowOptions): AsyncIterable<Progress>;
  /** The batch's rows in the order of ids, read one after the other, from the archive alone. Throws `batch-unknown`, `where-invalid`. */
  results(batch: string, options?: ResultsOptions): AsyncIterable<ResultRow>;
  /** Drains the workers and closes all connections. May be called any number of times. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};
