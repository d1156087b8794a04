/** With a hash tag, so that every key of ours is on one node of a Redis Cluster and scripts may touch them together. */
export const DEFAULT_PREFIX = '{flux-batch}';

/** Every Redis key that is ours and not BullMQ's. The stored names stay, whatever we call them here: docs/design.md lists them. */
export const keysOf = (prefix: string) => ({
  /** Sorted set of batch names by the time of their creation. */
  batches: `${prefix}:batches`,
  /** Hash: facts of a batch and a counter for each state, the latter as `n:<state>`. */
  batch: (batch: string) => `${prefix}:batch:${batch}`,
  /** Hash: item id → state. */
  items: (batch: string) => `${prefix}:items:${batch}`,
  /** Set of item ids that the manifest being enqueued has; there only while a batch is enqueued again. */
  seen: (batch: string) => `${prefix}:seen:${batch}`,
  /** Set of item ids that the manifest does not have any more and that are not forgotten. */
  former: (batch: string) => `${prefix}:former:${batch}`,
  /** Hash: items whose record the last index could not read → what is wrong with it. */
  unreadable: (batch: string) => `${prefix}:unreadable:${batch}`,
  /** Exists while a callback has announced the end of a task whose poll was under way at that moment. */
  pollNow: (jobId: string) => `${prefix}:hint:${jobId}`,
  /** Hash: what the fleet has counted, see fleet/metrics.ts. */
  metrics: `${prefix}:metrics`,
  /** Sorted set: the items of a batch that were archived last, by the time. */
  recentlyArchived: (batch: string) => `${prefix}:landed:${batch}`,
  /** The limiter's parts, see fleet/lua/include/limiter.lua. */
  limiter: (name: string, part: 'reserved' | 'sent' | 'free' | 'accepted' | 'state') =>
    `${prefix}:limiter:${name}:${part}`,
  /** List of the latest task durations of a model, milliseconds. */
  durations: (model: string) => `${prefix}:durations:${model}`,
  /** Hash: why submitting is stopped for the whole fleet; absent while it is not. See fleet/lua/include/breaker.lua. */
  breaker: `${prefix}:gate`,
  /** Sorted set: the times at which submits with an unknown outcome ended; hash: submits of the last minute by tens of seconds. */
  unknowns: `${prefix}:unknowns`,
  sends: `${prefix}:sends`,
  /** Hash: item id → what it has cost, see fleet/lua/include/charges.lua. */
  charges: (batch: string) => `${prefix}:charges:${batch}`,
  /** Hash: items that wait because they are over budget → what each would cost. */
  overBudget: (batch: string) => `${prefix}:beyond:${batch}`,
  /** Exists while the breaker was probed a moment ago. */
  breakerProbe: `${prefix}:gate-probe`,
  /** Time since which the user has paused submitting for all batches; absent while not. */
  fleetPause: `${prefix}:paused`,
  /** Sorted set of batches by the time of their resuming: jobs that were just being parked are brought back for a while. */
  resumed: `${prefix}:resumed`,
  /** Sorted set of worker processes by their last sign of life, and a hash of what they are. */
  workers: `${prefix}:workers`,
  workerFacts: `${prefix}:worker-facts`,
});
export type Keys = ReturnType<typeof keysOf>;
