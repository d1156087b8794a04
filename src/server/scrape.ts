import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { LastSuccess } from '../fleet/last-success.ts';
import { type MetricTotals, readMetrics } from '../fleet/metrics.ts';
import type { Queues } from '../queue/queues.ts';
import type { Serving } from './serving.ts';

/** Everything that /metrics reports, at one moment. */
export type Scrape = {
  /** Of all batches; the newest comes last. */
  snapshot: Snapshot;
  lastSuccess: LastSuccess;
  totals: MetricTotals;
  /** BullMQ's own metrics, one exposition per queue. */
  queues: readonly string[];
};

/** Returns a function that collects a scrape. Calls during a running scrape share it. */
export function scraper(serving: Serving): () => Promise<Scrape> {
  let underWay: Promise<Scrape> | undefined;
  return () => {
    underWay ??= collect(serving).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

async function collect(serving: Serving): Promise<Scrape> {
  const { state, queues, redis, keys } = serving.connections;
  const [snapshot, lastSuccess, totals, expositions] = await Promise.all([
    serving.askCredits().then(state.batches).then(serving.look),
    serving.lastSuccess(),
    readMetrics(redis, keys),
    Promise.all(queues.named().map(expositionOf)),
  ]);
  return { snapshot, lastSuccess, totals, queues: expositions };
}

/** Under the name that it has on its own, whatever the names of this route's queues end in: alerts and dashboards go by it. */
async function expositionOf({ name, queue }: ReturnType<Queues['named']>[number]): Promise<string> {
  const text = await queue.exportPrometheusMetrics();
  return text.replaceAll(`queue="${queue.name}"`, `queue="${name}"`);
}
