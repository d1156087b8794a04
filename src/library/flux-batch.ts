/// <reference lib="esnext.disposable" preserve="true" />

import type { Outlook } from '../batch/counts.ts';
import type { GivenSettings } from '../config.ts';
import type { Diagnosis } from '../diagnosis/finding.ts';
import type { ItemState } from '../items/item-state.ts';
import type { Question } from '../plan/questions.ts';
import type { Row } from '../results/row.ts';
import type { WorkerStage } from '../wiring/fleet.ts';
import type { LoadedManifest } from './load-manifest.ts';

/**
 * Settings have the names and meanings of the environment variables: `{ FLUX_RATE_LIMIT: '20/10s', FLUX_MAX_TASKS: 50 }`. A
 * setting that is absent, undefined or empty has its default; numbers and booleans are taken as well as their text. The
 * environment and `.env` are not read; pass `process.env` to use it. docs/configuration.md lists all of them.
 */
export type Settings = GivenSettings;

/** What `openFluxBatch` takes besides the settings. */
export type OpenOptions = {
  /** Receives log lines (JSON, secrets masked) from LOG_LEVEL up, `info` by default. Without `log`, nothing is logged. */
  log?: (line: string) => void;
};

/** What `enqueue` takes besides the manifest. */
export type EnqueueOptions = {
  /**
   * What all runs of the batch together may cost; BUDGET_CREDITS by default. A number is credits of the default provider (see
   * prices.json); text may be in USD (`12.50usd`), and for single accounts (`bfl=300`). Items over budget wait.
   */
  budget?: number | string;
  /** Priority of the batch: 0, the default, is the highest, larger numbers come later. */
  priority?: number;
  /** Pay again for items that had ended and are gone from the archive. Without it, they make the call throw `archive-lost`. */
  remake?: boolean;
  /**
   * Asked what the command line asks a person: before more than a fifth of what is archived is made again (`make-again`), and before
   * more than CONFIRM_CREDITS are spent (`spend`). Where it returns false nothing is enqueued, and the call throws
   * `remake-unconfirmed` or `spending-unconfirmed`: so `() => false` makes errors of them. Without it, nobody is asked.
   */
  confirm?: (question: Question) => boolean | Promise<boolean>;
  /** When it aborts, the call rejects with the signal's reason. Enqueue the manifest again to continue. */
  signal?: AbortSignal;
};

/** What a run of a manifest would do, by what its archive holds. */
export type Planned = {
  /** Items in the manifest. */
  items: number;
  /** Tasks that would be submitted, those that earlier runs left waiting among them. */
  toMake: number;
  /** Of these, what earlier runs left waiting and the manifest does not have any more. */
  waiting: number;
  /** Items whose image is archived, or taken over from a former name. */
  archived: number;
  /** Further items that have a record: under way, held or failed, or one that cannot be read. */
  begun: number;
  /** What `toMake` costs; null where a model has no price. */
  credits: number | null;
  /**
   * How what is to be made differs from what is archived, for people:
   * `4 have an image under this name with another request: enableTranslation – → false`.
   */
  differences: readonly string[];
};

/** What `enqueue` has found to do. What is neither submitted nor polled has ended before. */
export type Enqueued = {
  /** Items in the manifest. */
  items: number;
  /** Those that will be submitted. */
  submits: number;
  /** Those that will only be polled, because their task already runs. */
  polls: number;
  /** Ids of items whose record cannot be read, if there are any; they count as failed until it is put right. */
  unreadable?: readonly string[];
};

/** What `follow` takes besides the batch. */
export type FollowOptions = {
  /** When it aborts, the iteration throws the signal's reason. The batch itself goes on. */
  signal?: AbortSignal;
};

/** A batch at one moment. Times are epoch milliseconds. */
export type Progress = {
  /** The batch's name. */
  batch: string;
  /** When this was so, epoch milliseconds. */
  at: number;
  /** The iteration ends after `ended`, `out-of-budget` or `stopped` (`reason` says why). */
  outlook: Outlook;
  /** How many items are in each state. */
  items: Record<ItemState, number>;
  /** All items that are enqueued. */
  total: number;
  /** Items that are archived, failed, held or cancelled. */
  done: number;
  /** Credits that its tasks are known to cost. */
  credits: number;
  /** Credits that submits may have cost which are in flight or have an unknown outcome. */
  perhaps: number;
  /** Queued items that the budget does not cover, and the credits that they would cost. */
  beyondBudget: {
    /** How many. */
    items: number;
    /** What they would cost together. */
    credits: number;
  };
  /** Why the circuit breaker stops submitting for all batches; null while it does not. */
  reason: {
    /** Its kind, for programs: `unauthorized`, `out-of-credits`, `maintenance`, `not-found` or `too-many-unknown`. */
    refusal: string;
    /** For people. */
    message: string;
  } | null;
};

/** What `results` takes besides the batch. */
export type ResultsOptions = {
  /**
   * Conditions that must all hold, written as for `flux-batch results --where`: `state=archived`, `color=red,blue`,
   * `name!=hero*`.
   */
  where?: string | readonly string[];
  /** When it aborts, the iteration throws the signal's reason. */
  signal?: AbortSignal;
};

/** A row of results.jsonl, with its variables as an object. */
export type ResultRow = Omit<Row, 'variables'> & {
  /** What the templates of the prompt were filled with: matrix values and row columns, by name. */
  variables: Readonly<Record<string, string>>;
};

/** Workers that run in this process. */
export type Workers = {
  /**
   * Takes no new jobs and waits until the active ones are recorded. Returns false if that takes longer than `withinMs` (by
   * default the submit timeout and 15 s). Other workers, or the next start, then take over the rest.
   */
  drain(withinMs?: number): Promise<boolean>;
  /** `drain()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * One Redis, one archive, one account. It connects to Redis on first use; without REDIS_URL it starts a private one in
 * `.flux-batch/`. Errors are `FluxError`s with a `code`. After `close`, all methods throw `closed`.
 */
export type FluxBatch = {
  /**
   * Says what a run of the manifest would do and cost, as `flux-batch plan` does: from the archive alone, without Redis or a key.
   * Throws `archive-unreachable` and what opening the archive throws.
   */
  plan(manifest: LoadedManifest, options?: { signal?: AbortSignal }): Promise<Planned>;
  /**
   * Puts the items of a manifest into the queues. It is idempotent: a second call continues where the first stopped and
   * submits nothing twice. It asks before spending only with `confirm`, so set that or a budget. A Redis that is away, or refuses for
   * now (out of memory, read-only, loading), is waited for; `signal` ends the wait.
   * Throws `option-invalid`, `remake-unconfirmed`, `spending-unconfirmed`, `price-missing` (a budget needs prices), `archive-differs` (the batch was enqueued for another one),
   * `api-differs`, `archive-lost`, a `ManifestError` if a file has changed since it was loaded, and what opening throws: `redis-unreachable`, `redis-evicts`,
   * `redis-missing`, `archive-unreachable`, `archive-denied` and others.
   */
  enqueue(manifest: LoadedManifest, options?: EnqueueOptions): Promise<Enqueued>;
  /**
   * Starts workers on everything that is enqueued for this archive, by any process. Throws `api-key-missing`,
   * `api-key-refused`, and what opening throws, as `enqueue` does.
   */
  work(stages?: readonly WorkerStage[]): Promise<Workers>;
  /**
   * Yields the batch's progress now and after each change, at most four times a second, until there is nothing left to wait
   * for. Progress is counted in Redis, not read from the archive. Throws `batch-unknown`, `batch-lost` if Redis was emptied (enqueue again), the fault that stopped the workers of
   * this object (`archive-full`, `archive-denied`), and the signal's reason.
   */
  follow(batch: string, options?: FollowOptions): AsyncIterable<Progress>;
  /**
   * Removes a batch that has ended from Redis; the archive keeps all of it. Workers do so by themselves FORGET_AFTER its end. Throws
   * `batch-unknown`, `batch-live`, and `archive-differs` if the archive does not say that it has ended.
   */
  forget(batch: string): Promise<void>;
  /**
   * Yields the batch's rows in the order of their ids, read one by one from the archive alone. Throws `batch-unknown`,
   * `where-invalid`, and `record-corrupt` for a record that cannot be read.
   */
  results(batch: string, options?: ResultsOptions): AsyncIterable<ResultRow>;
  /**
   * What holds the work up just now, the worst first, with what to do, and what decides how fast it goes on: what `flux-batch status`
   * tells. Of one batch, or of all that Redis knows. Throws `batch-unknown`.
   */
  diagnose(batch?: string): Promise<Diagnosis>;
  /** Drains the workers and closes all connections. Further calls return the same promise. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
};
