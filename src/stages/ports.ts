import type { Logger } from 'pino';
import type { Archive } from '../archive/archive.ts';
import type { Records } from '../archive/records.ts';
import type { Finished, ImageRequest, Item, Submitted } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Metrics } from '../metrics/definitions.ts';
import type { Download, Stream } from '../provider/download.ts';
import type { Provider } from '../provider/provider.ts';
import type { Inputs } from './inputs.ts';
import type { Remembered } from './remembered.ts';

/** The job of a batch that is paused or out of budget is parked for so long. What ends that unparks it at once. */
export const PARKED_MS = 24 * 3_600_000;

/** What a stage came to, for the adapter to tell the queue. Nothing that is waited for uses up an attempt: those are for our bugs. */
export type StageOutcome =
  | { kind: 'done' }
  /**
   * Run again at this time (epoch ms). `remember`: what the next run is told; absent: what this one was told. `restMs`: every job of the
   * stage would come to the same for so long, so this process begins no other before, and then first one alone.
   */
  | { kind: 'later'; atMs: number; remember?: Remembered; restMs?: number };

/** One run of a stage, as the queue sees it. */
export type Run = {
  /** Runs so far, this one included. */
  runs: number;
  /** How many of them were not ended: their process ended first, or was taken for dead. */
  broken: number;
  /** What the run before asked to be told. */
  remembered: Remembered;
  /** Of a poll: a callback had said that the task has ended when the run began. `calledSince`: has one come since? */
  called?: boolean;
  calledSince?(): Promise<boolean>;
  /** Tells the next run at once, also when this process ends before it comes to an outcome. */
  note(remembered: Remembered): Promise<void>;
  /** Aborted when the process drains: start nothing new, record what is under way. */
  signal: AbortSignal;
};

export type ItemRef = { batch: string; id: string };

/** A permit to send one request within the rate limit. Exactly one of settle, refuse and release ends it. */
export interface Slot {
  /** Waits for the slot's time, and for the end of a pause that began since the slot was taken. Rejects when aborted. */
  ready(): Promise<void>;
  /** The request left just now: the window counts from here. */
  sent(): void;
  settle(): Promise<void>;
  /** Answered 429: the fleet pauses. */
  refuse(retryAfterMs: number | undefined): Promise<void>;
  /** Nothing was sent. */
  release(): Promise<void>;
}

export type TakeOptions = {
  leadMs: number;
  /** Nothing precedes the request: it goes out when the slot is there, and `ready` has nothing to wait for. */
  goesOut?: boolean;
  /** The share of the limit, 0 to 1, that requests like this leave to those that leave nothing. One in a window goes at least. */
  leaves?: number;
  signal: AbortSignal;
};

export interface Limiter {
  /**
   * Resolves `leadMs` before the slot's time, so that what must precede the request does not delay it, and not before a pause is
   * over and there is room at the provider: from then on the request is a matter of milliseconds. Rejects when aborted.
   */
  take(options: TakeOptions): Promise<Slot>;
}

export type Claim = { kind: 'claimed' } | { kind: 'refused'; state: ItemState | undefined };
/** `go` and `probe` permit one submit and have reserved its cost; a `probe` goes alone through the tripped breaker. */
export type Confirmation = 'go' | 'probe' | 'tripped' | 'paused' | 'cancelled' | 'out-of-budget' | 'lost';
/** Whether an item may be submitted at all; a person, the circuit breaker or its batch's budget may keep it from that. */
export type Admission = 'admitted' | 'paused' | 'cancelled' | 'tripped' | 'out-of-budget';

/** Stops submitting for the whole fleet at once, and lets it begin again. Polling and archiving do not ask for it. */
export interface CircuitBreaker {
  /**
   * With `probeAfterMs` one submit is let through after that time, the next after twice the time, and so on; without it, one whenever
   * `allowProbe` is called. The first reason stays until the breaker is reset or a probe learns another. True when it was this call
   * that tripped it, or gave it another reason.
   */
  tripBreaker(reason: {
    refusal: string;
    message: string;
    probeAfterMs?: number;
    /** The wait for a probe grows to this; 10 minutes by default. */
    longestWaitMs?: number;
    byProbe?: boolean;
  }): Promise<boolean>;
  resetBreaker(): Promise<void>;
  /** The next submit may go, alone. */
  allowProbe(): Promise<void>;
  /** Counts one, and says how many submits of the last minute had an unknown outcome, and how many there were. */
  noteUnknown(): Promise<{ unknown: number; submits: number }>;
  /** Counts one, and says how many submits of the last 10 s could not be sent. */
  noteNotSent(): Promise<number>;
}

export interface ImageNotes {
  /** What is odd about an archived image, for the summary of a run; empty: nothing is any more. */
  tellNote(item: ItemRef, note: string): Promise<void>;
}

export interface TaskClaims {
  /** Resolves with the id of the item that the task belongs to: this one, unless another was told of it before. */
  claimTask(item: ItemRef, taskId: string): Promise<string>;
}

/** Whose budget it is paid from goes by the request; without one, by the default provider. */
export type Requested = { request?: Pick<ImageRequest, 'provider'>; providers?: Item['providers'] };

export interface BatchState extends CircuitBreaker, ImageNotes, TaskClaims {
  /** Cheap; 'admitted' may be half a second old, `confirm` is exact. Cancels a queued item of a cancelled batch. */
  checkAdmission(item: ItemRef & Requested, credits?: number): Promise<Admission>;
  /** `queued → submitting`, under a fencing token. A worker that took over the job claims the item with its own token. */
  claim(item: ItemRef, fencingToken: string): Promise<Claim>;
  /**
   * Asked just before money is spent: does the token still hold the item, may it be submitted, is there budget for the credits?
   * A model without a price has no credits. To ask again changes nothing for the same token.
   */
  confirm(item: ItemRef & Requested, fencingToken: string, credits?: number): Promise<Confirmation>;
  /** Moves when MAY_COME_FROM allows; false when the item is in another state. Adds to the batch's counters on a real move. */
  move(item: ItemRef, to: ItemState, add?: { submits?: number; bytes?: number }): Promise<boolean>;
  /** The batch's index is to be written anew: a record has changed without a move. */
  outdateIndex(batch: string): Promise<void>;
}

/** Adding a job that exists already is a no-op, so every step can be repeated. */
export interface Forward {
  submit(item: Item): Promise<void>;
  poll(item: Submitted, atMs: number): Promise<void>;
  archive(item: Finished): Promise<void>;
}

/** How long writing a claim takes: so much before a slot's time it is begun, so that the slot does not wait for it. */
export interface ClaimLead {
  ms(): number;
  note(tookMs: number): void;
}

/**
 * The claims of this process that it could not give back, and whose submits started no task. A claim's record alone would say that
 * its outcome is unknown.
 */
export interface UnsentClaims {
  add(claimed: ItemRecord): void;
  has(claimed: ItemRecord): boolean;
  delete(claimed: ItemRecord): void;
}

/** Task durations seen lately, per model, in milliseconds. */
export interface Durations {
  add(model: string, ms: number): Promise<void>;
  /** Ascending. */
  sample(model: string): Promise<readonly number[]>;
}

/** Whether the tasks of an account are called back. None of it is needed where no callbacks are asked for. */
export interface Callbacks {
  /** A submit asks for a callback. Neither waits nor throws. */
  asked(submittedAt: number): void;
  /** Of the latest tasks of a model, how many were called back before a poll found them; 0 where callbacks stay away. */
  share(model: string): Promise<number>;
  /** A poll has found a task ended: had its callback come? `endedAt`: as late as is known. */
  note(task: { model: string; submittedAt: number; endedAt: number }, came: boolean): Promise<void>;
}

/** What the fleet waits for, for people to be told. Neither method waits or throws. */
export interface Faults {
  note(kind: FaultKind, message: string): void;
  /** It is over. */
  clear(...kinds: readonly FaultKind[]): void;
}
/** The archive's kinds are its error codes. */
export type FaultKind =
  | 'archive-unreachable'
  | 'archive-denied'
  | 'archive-full'
  | 'poll-unanswered'
  | 'images-unreachable'
  | 'uploads-unanswered';

export type StageSettings = {
  /** The account that these ports act in, as records name it; absent where it has no name. */
  lane?: string;
  /** What a person changes for its limits to be others; absent: the variables of the default provider. */
  limitNames?: { rate: string; polls: string };
  /** What becomes of a submit whose outcome is unknown. */
  onUnknown: 'hold' | 'resubmit';
  /** After so long without an answer a claimed submit is an unknown outcome. */
  submitTimeoutMs: number;
  pollGiveUpMs: number;
  /** How long the provider may not know a task that it has just accepted. */
  unknownTaskGraceMs: number;
  /** How long a finished task can be asked for. */
  storedTtlMs: number;
  /** How often a failed generation is submitted again; each is a new task, perhaps charged. */
  generationRetries: number;
  /** How long the first of an image's URLs lives that cannot be had again. */
  originTtlMs: number;
  /** So many unknown outcomes within a minute, when they are more than a fifth of the submits, stop submitting; absent or 0: never. */
  unknownLimit?: number;
  /** Write prompt, model and ids into the images' own metadata. */
  embed: boolean;
  callbackUrlOf?: (item: ItemRef) => string;
  /** What an image will cost, in credits of the default provider; undefined without a price. */
  creditsOf: (request: ImageRequest) => number | undefined;
  /** What one was to cost whose record does not say so. */
  untoldCreditsOf?: (request: ImageRequest) => number | undefined;
};

export type Ports = {
  now: () => number;
  log: Logger;
  provider: Provider;
  download: Download;
  /** For what is too long to be held in memory. */
  stream: Stream;
  archive: Archive;
  records: Records;
  state: BatchState;
  forward: Forward;
  submitLimiter: Limiter;
  pollLimiter: Limiter;
  claimLead: ClaimLead;
  unsentClaims: UnsentClaims;
  durations: Durations;
  callbacks: Callbacks;
  metrics: Metrics;
  faults: Faults;
  /** Of the item's account. */
  inputs?: Inputs;
  settings: StageSettings;
  /** Those of the account that a task runs in; undefined where this process lacks its key. Absent where there is one account only. */
  portsOfTask?: (task: Submitted) => Promise<Ports | undefined>;
};
