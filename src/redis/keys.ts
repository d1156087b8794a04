/** The hash tag puts all our keys on one node of a Redis Cluster, so that a script may touch several of them. */
export const DEFAULT_PREFIX = '{flux-batch}';

/** Of a batch, of an item of it, and of a picture that items start from. */
const keysOfBatches = (prefix: string) => ({
  /** Hash: the facts of a batch, and a counter `n:<state>` for each state. */
  batch: (batch: string) => `${prefix}:batch:${batch}`,
  /** Hash: item id → state. */
  items: (batch: string) => `${prefix}:items:${batch}`,
  /** Hash: archived items, packed, see fleet/lua/include/ended.lua. */
  ended: (batch: string) => `${prefix}:ended:${batch}`,
  /** Set: ids of the items in the manifest that is being enqueued. Exists only while a batch is enqueued again. */
  seen: (batch: string) => `${prefix}:seen:${batch}`,
  /** Set: ids of items that Redis knows and the manifest does not have any more. */
  former: (batch: string) => `${prefix}:former:${batch}`,
  /** Hash: items whose record the last index could not read → what is wrong with it. */
  unreadable: (batch: string) => `${prefix}:unreadable:${batch}`,
  missing: (batch: string) => `${prefix}:missing:${batch}`,
  /** Hash: archived items whose image is odd in some way → how, see fleet/image-notes.ts. */
  notes: (batch: string) => `${prefix}:notes:${batch}`,
  /** Hash: task id → the item that it belongs to, see fleet/task-claims.ts. `tasksBefore` is that of older versions. */
  tasks: (batch: string, half: string) => `${prefix}:tasks:${batch}:${half}`,
  tasksBefore: (batch: string) => `${prefix}:tasks:${batch}`,
  /** The task that a callback came for, until a poll that begins after it takes the mark. */
  pollNow: (jobId: string) => `${prefix}:hint:${jobId}`,
  /** Exists for some seconds after a callback had an item polled at once. */
  polledAtOnce: (jobId: string) => `${prefix}:hinted:${jobId}`,
  /** Sorted set: the items of a batch that were archived last, by time. */
  recentlyArchived: (batch: string) => `${prefix}:landed:${batch}`,
  /** Sorted set: the items of a batch that failed or were held last, by time, see fleet/lua/include/trouble.lua. */
  recentlyTroubled: (batch: string) => `${prefix}:troubled:${batch}`,
  /** Hash: item id → what it has cost, see fleet/lua/include/charges.lua. */
  charges: (batch: string) => `${prefix}:charges:${batch}`,
  /** Hash: items over budget → what each would cost. */
  overBudget: (batch: string) => `${prefix}:beyond:${batch}`,
  /** Hash: the feeds of a batch, see fleet/feeds.ts. */
  feeds: (batch: string) => `${prefix}:feed:${batch}`,
  /** String of bits: the lines of a feed's items file that are not fed yet. */
  unfed: (batch: string, feed: string) => `${prefix}:unfed:${batch}:${feed}`,
  /** Of an account: where it holds an uploaded picture, see fleet/uploads.ts. */
  upload: (account: string, sha256: string) => `${prefix}:upload:${account}:${sha256}`,
  /** Held by who puts a batch's feeds in order: meanwhile nothing is fed. */
  feedHold: (batch: string) => `${prefix}:feed-hold:${batch}`,
});

const keysOfRoutes = (prefix: string) => ({
  /** Hash: which names belong to which archive and API. */
  routes: `${prefix}:routes`,
  /** Set: names of the lanes that have poll queues of their own. */
  lanes: `${prefix}:lanes`,
});

const keysOfCallbacks = (prefix: string, apiSuffix: string) => ({
  /** Hash: whether the callbacks of an account come before its tasks are found by polls, see fleet/callbacks.ts. */
  callbacks: (account: string) => `${prefix}:callbacks${apiSuffix}:${account}`,
  /** Hash: accounts whose callbacks stay away → what is known of that, as JSON. */
  callbacksAway: `${prefix}:callbacks-away`,
});

/**
 * Every Redis key of ours (BullMQ has its own). The stored names never change, whatever we call them here: docs/design.md
 * lists them. `apiSuffix`: what the names end in of keys that belong to an API, see fleet/route-names.ts.
 */
export const keysOf = (prefix: string, apiSuffix = '') => ({
  ...keysOfBatches(prefix),
  ...keysOfCallbacks(prefix, apiSuffix),
  /** Sorted set: batch names by their creation time. */
  batches: `${prefix}:batches`,
  /**
   * Set: batches that somebody has to look at now and then, since they have not ended or their index is not written. `liveLook` exists
   * for an hour after all batches were put into it: those of a version that does not know it come in that way.
   */
  live: `${prefix}:live`,
  liveLook: `${prefix}:live:look`,
  ...keysOfRoutes(prefix),
  /** Hash: the metrics of the whole fleet, see fleet/metrics.ts. */
  metrics: `${prefix}:metrics`,
  /** The limiter's parts, see fleet/lua/include/limiter.lua. */
  limiter: (name: string, part: 'reserved' | 'sent' | 'free' | 'accepted' | 'state') =>
    `${prefix}:limiter:${name}${apiSuffix}:${part}`,
  /** Sorted set: the tasks that run at an API that limits how many, of a model or of all (''), see fleet/running-tasks.ts. */
  runningTasks: (model: string) => `${prefix}:running${apiSuffix}:${model}`,
  /** List: the latest task durations of a model, in milliseconds. */
  durations: (model: string) => `${prefix}:durations${apiSuffix}:${model}`,
  /** Hash: what an account's credits were when it was asked last, see fleet/credits.ts. */
  credits: `${prefix}:credits${apiSuffix}`,
  /** Hash: why the circuit breaker is tripped; absent while it is not. See fleet/lua/include/breaker.lua. */
  breaker: `${prefix}:gate${apiSuffix}`,
  /**
   * `unknowns`: sorted set of submits with an unknown outcome, by the time they ended. `sends`: hash of the submits of the
   * last minute, in buckets of ten seconds.
   */
  unknowns: `${prefix}:unknowns${apiSuffix}`,
  sends: `${prefix}:sends${apiSuffix}`,
  /** Sorted set: the times at which submits could not be sent, for 10 s. */
  notSent: `${prefix}:not-sent${apiSuffix}`,
  /** Hash: what the fleet waits for besides the breaker → its last fault as JSON, see fleet/faults.ts. */
  faults: `${prefix}:faults`,
  /** Set: names of the batches that have something to feed. */
  toFeed: `${prefix}:to-feed`,
  /** Of an archive: exists while submits wait for it, see fleet/archive-lag.ts. */
  archiveLag: (archive: string) => `${prefix}:archive-lag:${archive}`,
  /** Of an archive: the process that feeds. */
  feeder: (archive: string) => `${prefix}:feeder:${archive}`,
  /** Of an archive: the process that forgets what ended long ago. */
  retention: (archive: string) => `${prefix}:retention:${archive}`,
  /** Hash: when each stage has last brought an item on, see fleet/last-success.ts. */
  lastSuccess: `${prefix}:last-success`,
  /** Of an archive: the process that looks for items without a job, for as long as it does. */
  jobCheck: (archive: string) => `${prefix}:job-check:${archive}`,
  /** Exists for a short time after a probe of the breaker, so that others do not probe too. */
  breakerProbe: `${prefix}:gate-probe${apiSuffix}`,
  /** When a person paused submitting for all batches; absent while it is not paused. */
  fleetPause: `${prefix}:paused`,
  /** Sorted set: batches by the time they were resumed. For a while, jobs that a worker parks late are unparked too. */
  resumed: `${prefix}:resumed`,
  /** `workers`: sorted set of worker processes by their last heartbeat. `workerFacts`: hash of their facts. */
  workers: `${prefix}:workers`,
  /** Of a drop in an inbox: the process that deals with it. */
  inboxLease: (drop: string) => `${prefix}:inbox-lease:${drop}`,
  /** Hash: what inboxes have let batches spend on a day (UTC), by drop, and their sum; see fleet/inbox-budget.ts. */
  inboxDay: (day: string) => `${prefix}:inbox-day${apiSuffix}:${day}`,
  /** Hash: drops whose batch has not ended → the batch. */
  inboxOpen: (inbox: string) => `${prefix}:inbox-open:${inbox}`,
  /** Hash: drops that wait for a person, of all inboxes → what they are, as JSON. `inboxApproved`: set of those that a person approved. */
  inboxWaiting: `${prefix}:inbox-waiting`,
  inboxApproved: `${prefix}:inbox-approved`,
  /** What was answered to a request with an Idempotency-Key, as JSON. */
  answered: (request: string) => `${prefix}:answered:${request}`,
  workerFacts: `${prefix}:worker-facts`,
});
export type Keys = ReturnType<typeof keysOf>;
