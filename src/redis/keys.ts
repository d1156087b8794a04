/** With a hash tag, so that every key of ours is on one node of a Redis Cluster and scripts may touch them together. */
export const DEFAULT_PREFIX = '{flux-batch}';

/** Every Redis key that is ours and not BullMQ's. */
export const keysOf = (prefix: string) => ({
  /** Sorted set of batch names by the time of their creation. */
  batches: `${prefix}:batches`,
  /** Hash: facts of a batch and a counter for each state, the latter as `n:<state>`. */
  batch: (batch: string) => `${prefix}:batch:${batch}`,
  /** Hash: item id → state. */
  items: (batch: string) => `${prefix}:items:${batch}`,
  /** Set of item ids that the manifest being enqueued has; there only while a batch is enqueued again. */
  seen: (batch: string) => `${prefix}:seen:${batch}`,
  /** The limiter's parts, see limiter-scripts.ts. */
  /** There while a callback has announced the end of a task whose poll was under way just then. */
  hint: (jobId: string) => `${prefix}:hint:${jobId}`,
  /** Hash: what the fleet has counted, see metrics.ts. */
  metrics: `${prefix}:metrics`,
  /** Sorted set: a batch's latest archived items by the time. */
  landed: (batch: string) => `${prefix}:landed:${batch}`,
  limiter: (name: string, part: 'reserved' | 'sent' | 'free' | 'accepted' | 'state') =>
    `${prefix}:limiter:${name}:${part}`,
  /** List of the latest task durations of a model, milliseconds. */
  durations: (model: string) => `${prefix}:durations:${model}`,
  /** Hash: why submitting is stopped for the whole fleet; absent while it is not. */
  gate: `${prefix}:gate`,
  /** Sorted set: the times at which submits with an unknown outcome ended; hash: submits of the last minute by tens of seconds. */
  unknowns: `${prefix}:unknowns`,
  sends: `${prefix}:sends`,
  /** Hash: item id → what it has cost, see spending-scripts.ts. */
  charges: (batch: string) => `${prefix}:charges:${batch}`,
  /** Hash: items that wait beyond the batch's budget → what each would cost. */
  beyond: (batch: string) => `${prefix}:beyond:${batch}`,
  /** There while the gate was probed just now. */
  gateProbe: `${prefix}:gate-probe`,
  /** Time since which the user has paused submitting for all batches; absent while not. */
  fleetPause: `${prefix}:paused`,
  /** Sorted set of batches by the time of their resuming: jobs that were just being parked are brought back for a while. */
  resumed: `${prefix}:resumed`,
  /** Sorted set of worker processes by their last sign of life, and a hash of what they are. */
  workers: `${prefix}:workers`,
  workerFacts: `${prefix}:worker-facts`,
});
export type Keys = ReturnType<typeof keysOf>;
