import {
  bucketOf,
  CALLBACK_RESULTS,
  type CallbackResult,
  COUNTERS,
  type CounterName,
  HISTOGRAMS,
  type HistogramName,
  type Metrics,
} from '../metrics/definitions.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

const FLUSH_EVERY_MS = 1_000;

export type HistogramTotals = { name: HistogramName; buckets: { bound: string; count: number }[]; sum: number };
export type MetricTotals = {
  histograms: HistogramTotals[];
  callbacks: Record<CallbackResult, number>;
  counts: Record<CounterName, number>;
};

/**
 * Counts of the whole fleet, summed in one hash: fields `<histogram>:<upper bound>`, `<histogram>:sum`, `callbacks:<result>` and
 * `count:<name>`.
 * Each process adds up by itself and hands its sums over once a second, so counting costs a stage nothing. What a killed process
 * had not handed over is not counted.
 */
export function redisMetrics(redis: RedisClient, keys: Keys): Metrics & { close(): Promise<void> } {
  let pending = new Map<string, number>();
  const add = (field: string, by: number) => pending.set(field, (pending.get(field) ?? 0) + by);

  async function flush(): Promise<void> {
    if (pending.size === 0) return;
    const sums = pending;
    pending = new Map();
    const pipeline = redis.pipeline();
    for (const [field, by] of sums) pipeline.hincrbyfloat(keys.metrics, field, by);
    // Not handed over again when it fails: a count that is short does less harm than one that is doubled.
    await pipeline.exec();
  }

  const timer = setInterval(() => void flush().catch(() => {}), FLUSH_EVERY_MS);
  timer.unref();
  return {
    observe(name, value) {
      add(`${name}:${bucketOf(name, value)}`, 1);
      add(`${name}:sum`, value);
    },
    countCallback: (result) => add(`callbacks:${result}`, 1),
    count: (name) => add(`count:${name}`, 1),
    async close() {
      clearInterval(timer);
      await flush().catch(() => {});
    },
  };
}

export async function readMetrics(redis: RedisClient, keys: Keys): Promise<MetricTotals> {
  const hash = await redis.hgetall(keys.metrics);
  const number = (field: string) => Number(hash[field] ?? 0);
  const names = Object.keys(HISTOGRAMS).filter(isHistogram);
  const callbacks = { hurried: 0, 'brought-back': 0, ignored: 0, refused: 0, failed: 0 };
  for (const result of CALLBACK_RESULTS) callbacks[result] = number(`callbacks:${result}`);
  const counts = { unreadable: 0, unforeseen: 0, setAside: 0, notSetAside: 0, jobsRestored: 0 };
  for (const name of Object.keys(COUNTERS).filter(isCounter)) counts[name] = number(`count:${name}`);
  return {
    histograms: names.map((name) => ({
      name,
      buckets: [...HISTOGRAMS[name].buckets.map(String), '+Inf'].map((bound) => ({
        bound,
        count: number(`${name}:${bound}`),
      })),
      sum: number(`${name}:sum`),
    })),
    callbacks,
    counts,
  };
}

function isHistogram(name: string): name is HistogramName {
  return name in HISTOGRAMS;
}

function isCounter(name: string): name is CounterName {
  return name in COUNTERS;
}
