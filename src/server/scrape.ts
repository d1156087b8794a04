import type { BatchCounts } from '../batch/counts.ts';
import type { LimiterUsage } from '../fleet/limiter.ts';
import { type MetricTotals, readMetrics } from '../fleet/metrics.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Provider } from '../provider/provider.ts';
import { type Backlog, readBacklog } from '../queue/backlog.ts';
import { type Queues, STAGES, type Stage } from '../queue/queues.ts';
import type { Serving } from './serving.ts';

/** Everything that /metrics reports, at one moment. */
export type Scrape = {
  /** The newest comes last. */
  batches: readonly BatchCounts[];
  waiting: Backlog['waiting'];
  atRisk: { origin: number; stored: number };
  limiters: readonly { name: 'submit' | 'poll'; usage: LimiterUsage }[];
  breaker: TrippedBreaker | undefined;
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
  const now = Date.now();
  const [batches, backlog, submitUsage, pollUsage, breaker, totals, credits, expositions] = await Promise.all([
    countsOfAll(serving),
    readBacklog(queues, now),
    serving.submitLimiter.usage(),
    serving.pollLimiter.usage(),
    state.breaker(),
    readMetrics(redis, keys),
    creditsLeft(),
    Promise.all(STAGES.map((stage) => expositionOf(queues.byStage[stage], stage))),
  ]);
  return {
    batches,
    waiting: backlog.waiting,
    atRisk: backlog.atRisk,
    limiters: [
      { name: 'submit', usage: submitUsage },
      { name: 'poll', usage: pollUsage },
    ],
    breaker,
    totals,
    creditsLeft: credits,
    queues: expositions,
  };
}

async function countsOfAll({ connections: { state } }: Serving): Promise<BatchCounts[]> {
  const names = await state.batches();
  const counts = await Promise.all(names.map((name) => state.counts(name)));
  return counts.filter((one) => one !== undefined);
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
