import { startRedis } from '../test/services/redis.ts';
import type { Bench } from './bench.ts';
import { runLimiter, type SubmitTime } from './limiter-run.ts';
import { percent } from './measure.ts';

const TRUE = { max: 20, windowMs: 10_000 };
const CONFIGURED = { max: 40, windowMs: 10_000 };
const MINUTE_MS = 60_000;

/** The user was told, or believes, twice what the provider permits. */
export const limiterDoubledBench: Bench = {
  name: 'limiter-doubled',
  waits: 'always',
  async run({ quick }) {
    const redis = await startRedis();
    const minutes = quick ? 1 : 4;
    try {
      const data = await Promise.all(
        (['sliding', 'fixed'] as const).map(async (window) => ({
          window,
          minutes: byMinute(
            await runLimiter(redis.url, {
              rate: TRUE,
              configured: CONFIGURED,
              window,
              submitters: 4,
              forMs: minutes * MINUTE_MS,
            }),
          ),
        })),
      );
      const rows = data.map(({ window, minutes: [first, second, third, ...later] }) => {
        const reached = Math.max(first?.share ?? 0, second?.share ?? 0, third?.share ?? 0);
        const all = [first, second, third, ...later].flatMap((minute) => (minute ? [minute] : []));
        return {
          what: `limiter configured 40/10s of a true 20/10s, ${window}`,
          target: '≥ 90 % in 3 min, falling',
          measured: `${all.map(({ share }) => percent(share, 0)).join(' ')}; refused ${all.map(({ refused }) => refused).join(' ')}`,
          met: reached >= 0.9 && (all.at(-1)?.refused ?? 0) < (first?.refused ?? 0),
        };
      });
      return { rows, data };
    } finally {
      await redis.stop();
    }
  },
};

function byMinute(seen: SubmitTime[]) {
  const start = seen[0]?.at ?? 0;
  const minutes: { share: number; accepted: number; refused: number }[] = [];
  for (const { at, accepted } of seen) {
    const index = Math.floor((at - start) / MINUTE_MS);
    const minute = minutes[index] ?? { share: 0, accepted: 0, refused: 0 };
    minutes[index] = minute;
    if (accepted) minute.accepted += 1;
    else minute.refused += 1;
    minute.share = minute.accepted / ((TRUE.max * MINUTE_MS) / TRUE.windowMs);
  }
  // The last, cut short by the stop, says nothing.
  return minutes.filter(
    (minute, index) => minute !== undefined && index < Math.floor(((seen.at(-1)?.at ?? 0) - start + 1_000) / MINUTE_MS),
  );
}
