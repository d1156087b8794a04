import { formatRate } from '../src/text/duration.ts';
import { startRedis } from '../test/services/redis.ts';
import type { Bench } from './bench.ts';
import { runLimiter, type SubmitTime } from './limiter-run.ts';
import { percent } from './measure.ts';

const RATES = [
  { max: 20, windowMs: 10_000 },
  { max: 200, windowMs: 10_000 },
];
const SUBMITTERS = [1, 4, 16];
const WINDOWS = ['sliding', 'fixed'] as const;
/** The first window's worth goes at once, so it takes one window less: a minute and a half, or 40 seconds. */
const windowsOf = (max: number) => (max > 100 ? 5 : 10);

/** How near to the permitted rate a fleet comes, and how often it is refused. */
export const limiterBench: Bench = {
  name: 'limiter',
  waits: 'when quick',
  async run({ quick }) {
    const redis = await startRedis();
    const data = [];
    try {
      for (const rate of quick ? RATES.slice(0, 1) : RATES) {
        for (const window of WINDOWS) {
          const cases = SUBMITTERS.map((submitters) => ({ rate, configured: rate, window, submitters }));
          const accepted = rate.max * (quick ? 2 : windowsOf(rate.max));
          const measure = async (given: (typeof cases)[number]) => ({
            given,
            ...judge(await runLimiter(redis.url, { ...given, accepted }), given),
          });
          // Those of few requests go side by side, as they would take an hour; many at once would be in each other's way.
          if (rate.max <= 100) data.push(...(await Promise.all(cases.map(measure))));
          else for (const given of cases) data.push(await measure(given));
        }
      }
    } finally {
      await redis.stop();
    }
    const rows = data.map(({ given, share, refusalsPer1000, accepted, refused }) => ({
      what: `limiter ${formatRate(given.rate)} ${given.window}, ${given.submitters} submitters`,
      target: '≥ 98.5 %, ≤ 1 of 1,000',
      measured: `${percent(share)}, ${refused} refused of ${accepted + refused}`,
      met: share >= 0.985 && refusalsPer1000 <= 1,
    }));
    return { rows, data };
  },
};

/** The ideal: a window's worth at once, and again at the end of each window. */
function judge(seen: SubmitTime[], { rate }: { rate: { max: number; windowMs: number } }) {
  const times = seen.filter(({ accepted }) => accepted).map(({ at }) => at);
  const windows = Math.floor((times.length - 1) / rate.max);
  // By the first of each burst and the first of the last one: what lies behind it was cut off by the stop.
  const tookMs = (times[windows * rate.max] ?? 0) - (times[0] ?? 0);
  const refused = seen.length - times.length;
  return {
    share: (windows * rate.windowMs) / tookMs,
    accepted: times.length,
    refused,
    refusalsPer1000: (refused * 1_000) / seen.length,
  };
}
