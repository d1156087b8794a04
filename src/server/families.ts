import type { BatchCounts } from '../batch/counts.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import type { HistogramTotals } from '../fleet/metrics.ts';
import { ITEM_STATES } from '../items/item-state.ts';
import { COUNTERS, HISTOGRAMS } from '../metrics/definitions.ts';
import { counter, type Family, gauge, type Sample } from '../metrics/exposition.ts';
import { STAGES } from '../queue/queues.ts';
import { diagnosisFamilies } from './diagnosis-families.ts';
import { laneFamilies } from './lane-families.ts';
import type { Scrape } from './scrape.ts';

/** This many batches, the newest, have time series of their own. All others are summed in one. */
const NAMED_BATCHES = 20;
const COUNTER_NAMES = ['unreadable', 'unforeseen', 'setAside', 'notSetAside', 'jobsRestored'] as const;
/** Cannot collide with a batch: no batch name may contain parentheses. */
const OTHERS = '(other)';

/** Our metrics as Prometheus families. The labels are bounded: 21 batches, 8 states, 4 stages, 2 limiters. */
export function familiesOf(scrape: Scrape): Family[] {
  const { rates, queues, breaker, atRisk, batches, lanes } = scrape.snapshot;
  const first = lanes.find(({ vendor, isFirst }) => vendor === 'kie' && isFirst);
  const sum = (of: (counts: BatchCounts) => number) => batches.reduce((total, counts) => total + of(counts), 0);
  return [
    gauge('flux_items', 'Items by batch and state.', itemSamples(batches)),
    ...laneFamilies(scrape.snapshot),
    gauge('flux_batches', 'Batches that Redis knows.', [{ value: batches.length }]),
    counter('flux_submits_total', 'Tasks that were started at the provider.', [{ value: sum((one) => one.submits) }]),
    counter('flux_credits_spent_total', 'Credits spent, by our price list.', [{ value: sum((one) => one.credits) }]),
    gauge(
      'flux_credits_left',
      'Credits of the default account, asked at most once a minute.',
      some(first?.credits?.left),
    ),
    counter('flux_archived_bytes_total', 'Bytes of archived images.', [{ value: sum((one) => one.bytes) }]),
    gauge(
      'flux_oldest_waiting_seconds',
      'How long the job has waited that waits longest: to run, or to run again after a fault.',
      STAGES.map((stage) => ({ labels: { stage }, value: (queues[stage].oldestMs ?? 0) / 1_000 })),
    ),
    gauge(
      'flux_items_at_risk',
      'Finished items, not archived, whose original URL dies within 2 minutes or stored copy within a day.',
      [
        { labels: { url: 'origin' }, value: atRisk.origin },
        { labels: { url: 'stored' }, value: atRisk.stored },
      ],
    ),
    ...limiterFamilies(rates),
    gauge('flux_submitting_stopped', '1 while the provider refuses the account and nothing is submitted.', [
      { value: breaker ? 1 : 0, ...(breaker && { labels: { refusal: breaker.refusal } }) },
    ]),
    counter(
      'flux_callbacks_total',
      'Callbacks by what came of them.',
      Object.entries(scrape.totals.callbacks).map(([result, value]) => ({ labels: { result }, value })),
    ),
    ...COUNTER_NAMES.map((name) =>
      counter(COUNTERS[name].metric, COUNTERS[name].help, [{ value: scrape.totals.counts[name] }]),
    ),
    ...scrape.totals.histograms.map(histogram),
    ...diagnosisFamilies(scrape.snapshot, scrape.lastSuccess),
  ];
}

/** Of the default provider: of all its accounts together. */
function limiterFamilies(rates: Snapshot['rates']): Family[] {
  const limiters = Object.entries(rates).map(([name, usage]) => ({ name, usage }));
  return [
    counter(
      'flux_limiter_sent_total',
      'Requests sent under a rate limit.',
      limiters.map(({ name, usage }) => ({ labels: { limiter: name }, value: usage.sent })),
    ),
    counter(
      'flux_limiter_refused_total',
      'Requests that the provider refused for their rate (429).',
      limiters.map(({ name, usage }) => ({ labels: { limiter: name }, value: usage.refused })),
    ),
    gauge(
      'flux_limiter_use_ratio',
      'Requests within the last window as a share of the limit in force.',
      limiters.map(({ name, usage }) => ({ labels: { limiter: name }, value: usage.inWindow / usage.limit })),
    ),
    gauge(
      'flux_limiter_limit',
      'The limit in force, perhaps learned to be lower than configured.',
      limiters.map(({ name, usage }) => ({ labels: { limiter: name }, value: usage.limit })),
    ),
    gauge(
      'flux_limiter_paused_seconds',
      'What is left of a pause after a 429.',
      limiters.map(({ name, usage }) => ({ labels: { limiter: name }, value: usage.pausedMs / 1_000 })),
    ),
  ];
}

function itemSamples(batches: readonly BatchCounts[]): Sample[] {
  const named = batches.slice(-NAMED_BATCHES);
  const others = batches.slice(0, -NAMED_BATCHES);
  const samples = named.flatMap(({ batch, items }) =>
    ITEM_STATES.map((state) => ({ labels: { batch, state }, value: items[state] })),
  );
  if (others.length === 0) return samples;
  const summed = ITEM_STATES.map((state) => ({
    labels: { batch: OTHERS, state },
    value: others.reduce((sum, { items }) => sum + items[state], 0),
  }));
  return [...samples, ...summed];
}

/** Prometheus wants cumulative buckets. Ours are not. */
function histogram({ name, buckets, sum }: HistogramTotals): Family {
  const { metric, help } = HISTOGRAMS[name];
  let count = 0;
  const samples: Sample[] = buckets.map((bucket) => {
    count += bucket.count;
    return { suffix: '_bucket', labels: { le: bucket.bound }, value: count };
  });
  samples.push({ suffix: '_sum', value: sum }, { suffix: '_count', value: count });
  return { name: metric, help, type: 'histogram', samples };
}

const some = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }]);
