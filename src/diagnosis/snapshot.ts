import type { BatchCounts } from '../batch/counts.ts';
import type { ArchiveLag } from '../fleet/archive-lag.ts';
import type { CallbacksAway, CallbacksSeen } from '../fleet/callbacks.ts';
import type { CreditsLeft } from '../fleet/credits.ts';
import type { LastFault } from '../fleet/faults.ts';
import type { WorkerFacts } from '../fleet/heartbeats.ts';
import type { LimiterUsage } from '../fleet/limiter.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Route } from '../fleet/route-names.ts';
import type { Vendor } from '../items/item.ts';
import type { WaitingByWay } from '../items/submit-way.ts';
import type { AtRisk, Waiting } from '../queue/backlog.ts';
import type { Stage } from '../queue/queues.ts';
import type { LimitNames } from '../settings/lanes.ts';

export type QueueDepth = Waiting & { waiting: number; active: number; delayed: number };
export type RateUse = Omit<LimiterUsage, 'limit'> & {
  /** The limit in force, perhaps learned to be lower than `configured`. */
  limit: number;
  configured: number;
  windowMs: number;
};

/** An account and how it stands. */
export type LaneLook = {
  name: string;
  vendor: Vendor;
  keyVariable: string;
  /** It stands in FLUX_LANES. */
  isNamed: boolean;
  /** The account that there is without FLUX_LANES. */
  isFirst: boolean;
  /** 0: it begins nothing. */
  share: number;
  breaker: TrippedBreaker | null;
  rates: { submit: RateUse; poll: RateUse };
  tasks: { running: number; most: number };
  /** What a person changes for these limits to be others. */
  limitNames: LimitNames;
  /** By its own word; null where nobody has asked lately, or it does not tell. */
  credits: CreditsLeft | null;
  /** Null where it is not asked to call back. */
  callbacks: CallbacksSeen | null;
  /** Jobs of its vendor that are to be submitted, in any lane. */
  waiting: number;
};

/** So many images came since so long, at most within the last minute. */
export type Pace = { count: number; firstMs: number };

/** One look at the fleet. Times are epoch milliseconds by the clock of Redis, as far as it is known. */
export type Snapshot = {
  at: number;
  /** What a credit of the default provider is worth, where prices are known. */
  usdPerCredit?: number;
  /** What the queues and rates shown belong to; batches of other archives and APIs are in queues of their own. */
  route: Route;
  batches: readonly BatchCounts[];
  queues: Readonly<Record<Stage, QueueDepth>>;
  rates: { submit: RateUse; poll: RateUse };
  tasks: {
    running: number;
    most: number;
    /** When the oldest and the newest of those that were looked at were submitted; null while none runs. */
    oldestAt: number | null;
    newestAt: number | null;
    /** When those were submitted that were looked at, a few hundred at most. */
    startedAt: readonly number[];
  };
  /** How fast images of a batch came to the archive in the last minute, by its name; of batches that have not ended. */
  paces: Readonly<Record<string, Pace>>;
  /** How long tasks have taken lately; null before the first. */
  durations: { typicalMs: number; longMs: number } | null;
  workers: readonly WorkerFacts[];
  /**
   * Why nothing is submitted by the default provider, whose lanes are all closed; null while one is open, and while items wait that may
   * go, or may soon go, to a lane of another.
   */
  breaker: TrippedBreaker | null;
  /** Jobs that are to be submitted in any lane of a vendor that their items name: of several. */
  waitingForEither: number;
  /** What waits of the batch alone, where one was looked at and an account is closed. */
  ownWaiting?: Readonly<WaitingByWay>;
  /** The accounts; the default one alone where nobody uses another. */
  lanes: readonly LaneLook[];
  /** What the fleet waits for besides, the longest first. */
  faults: readonly LastFault[];
  atRisk: AtRisk;
  /** Submits wait for the archive; null while they do not. */
  archiveLag: ArchiveLag | null;
  /** Accounts whose callbacks stay away, see fleet/callbacks.ts. */
  callbacksAway: readonly CallbacksAway[];
  /** When a person paused all batches; null while they are not paused. */
  pausedAt: number | null;
  /** Redis does not answer this process, and all else is what it said last; null while it answers. */
  redisAway: { message: string; since: number } | null;
};
