import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { LastSuccess } from '../fleet/last-success.ts';
import { type MetricTotals, readMetrics } from '../fleet/metrics.ts';
import type { Provider } from '../provider/provider.ts';
import { type Queues, STAGES, type Stage } from '../queue/queues.ts';
import type { Serving } from './serving.ts';

/** Everything that /metrics reports, at one moment. */
export type Scrape = {
  /** Of all batches; the newest comes last. */
  snapshot: Snapshot;
  lastSuccess: LastSuccess;
  totals: MetricTotals;
  creditsLeft: number | undefined;
  /** BullMQ's own metrics, one exposition per queue. */
  queues: readonly string[];
};

/** Returns a function that collects a scrape. Calls during a running scrape share it. */
export function scraper(serving: Serving): () => Promise<Scrape> {
  const creditsLeft = creditsOnceAMinute(serving.account?.provider);
  let underWay: Promise<Scrape> | undefined;
  return () => {
    underWay ??= collect(serving, creditsLeft).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

async function collect(serving: Serving, creditsLeft: () => Promise<number | undefined>): Promise<Scrape> {
  const { state, queues, redis, keys } = serving.connections;
  const [snapshot, lastSuccess, totals, credits, expositions] = await Promise.all([
    state.batches().then(serving.look),
    serving.lastSuccess(),
    readMetrics(redis, keys),
    creditsLeft(),
    Promise.all(STAGES.map((stage) => expositionOf(queues.byStage[stage], stage))),
  ]);
  return { snapshot, lastSuccess, totals, creditsLeft: credits, queues: expositions };
}

const CREDITS_EVERY_MS = 60_000;
const CREDITS_TIMEOUT_MS = 3_000;

/**
 * While the provider does not answer, returns the last known credits. Undefined without a key, or before the first answer.
 */
function creditsOnceAMinute(provider: Provider | undefined): () => Promise<number | undefined> {
  let known: number | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (!provider || Date.now() - askedAt < CREDITS_EVERY_MS) return known;
    askedAt = Date.now();
    const outcome = await provider.credits({ signal: AbortSignal.timeout(CREDITS_TIMEOUT_MS) });
    if (outcome.kind === 'credits') known = outcome.credits;
    return known;
  };
}

/** Under the name of the stage, whatever the queue's own name ends in: alerts and dashboards go by it. */
async function expositionOf(queue: Queues['byStage'][Stage], stage: Stage): Promise<string> {
  const text = await queue.exportPrometheusMetrics();
  return text.replaceAll(`queue="${queue.name}"`, `queue="${stage}"`);
}
