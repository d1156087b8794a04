/** What stages observe and count. Each name and each bucket is a time series in Prometheus, so they are few and fixed. */
export const HISTOGRAMS = {
  taskPolls: {
    metric: 'flux_task_polls',
    help: 'Polls that an ended task took.',
    buckets: [1, 2, 3, 4, 5, 7, 10, 15, 25, 50],
  },
  taskSeconds: {
    metric: 'flux_task_seconds',
    help: 'From the submit of a task to its completion at the provider.',
    buckets: [1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 900],
  },
  discoverySeconds: {
    metric: 'flux_discovery_seconds',
    help: 'From the completion of a task to the poll that found it completed.',
    buckets: [0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60, 300],
  },
  archivedSeconds: {
    metric: 'flux_archived_seconds',
    help: 'From the completion of a task to its image being in the archive.',
    buckets: [0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 3600],
  },
} as const;
export type HistogramName = keyof typeof HISTOGRAMS;

export const CALLBACK_RESULTS = ['hurried', 'brought-back', 'ignored', 'refused', 'failed'] as const;
export type CallbackResult = (typeof CALLBACK_RESULTS)[number];

/** What should never happen, and is worth an alert when it does. */
export const COUNTERS = {
  unreadable: {
    metric: 'flux_jobs_unreadable_total',
    help: 'Jobs met whose data this version cannot read; each is put off by a minute.',
  },
  unforeseen: {
    metric: 'flux_unforeseen_errors_total',
    help: 'Runs of a stage that ended in an error no rule foresees.',
  },
  setAside: { metric: 'flux_items_set_aside_total', help: 'Items set aside after repeated errors no rule foresees.' },
  notSetAside: {
    metric: 'flux_items_not_set_aside_total',
    help: 'Tries to set an item aside that failed; each is repeated after half a minute.',
  },
  jobsRestored: { metric: 'flux_jobs_restored_total', help: 'Items found without a job that were given one again.' },
} as const;
export type CounterName = keyof typeof COUNTERS;

/** Metrics summed over the whole fleet. No method waits or throws. */
export interface Metrics {
  observe(name: HistogramName, value: number): void;
  countCallback(result: CallbackResult): void;
  count(name: CounterName): void;
}

/** The upper bound of the bucket that a value falls into. */
export function bucketOf(name: HistogramName, value: number): string {
  const bound = HISTOGRAMS[name].buckets.find((upper) => value <= upper);
  return bound === undefined ? '+Inf' : String(bound);
}
