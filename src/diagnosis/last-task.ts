/** Tasks that began `atMs` from now; below 0: so long ago, and they still run. */
export type Started = { count: number; atMs: number };
export type Durations = { typicalMs: number; longMs: number };

/** The normal quantile of `longMs`, which 95 of 100 tasks do not reach. */
const LONG_Z = 1.645;
const LEAST_SIGMA = 0.1;
/** Beyond this a task is not what durations tell of any more: it is taken to last a little longer, as one at this point does. */
const FARTHEST_Z = 4;
const HALVINGS = 30;

/** By a log-normal through both durations, as providers' durations are: https://en.wikipedia.org/wiki/Log-normal_distribution */
function shapeOf({ typicalMs, longMs }: Durations): { typicalMs: number; sigma: number } {
  return { typicalMs, sigma: Math.max(LEAST_SIGMA, Math.log(longMs / typicalMs) / LONG_Z) };
}

/** What tasks take on average, which is more than what half of them take. */
export function meanMs(durations: Durations): number {
  const { typicalMs, sigma } = shapeOf(durations);
  return typicalMs * Math.exp(sigma ** 2 / 2);
}

/**
 * From now until the last of them has ended, as likely later as sooner. What has run for long already is likely to run for longer, if
 * it ran still when it was asked for last: `unseenMs` ago.
 */
export function lastEndsMs(tasks: readonly Started[], durations: Durations, unseenMs = 0): number {
  const { typicalMs, sigma } = shapeOf(durations);
  const z = (ms: number) => (ms <= 0 ? Number.NEGATIVE_INFINITY : Math.log(ms / typicalMs) / sigma);
  const farthestMs = typicalMs * Math.exp(FARTHEST_Z * sigma);
  const groups = tasks.map(({ count, atMs }) => ({ count, atMs: Math.max(atMs, -farthestMs) }));
  const allEndedBy = (ms: number): number =>
    groups.reduce((chance, { count, atMs }) => {
      const runsStill = survival(z(-atMs - unseenMs));
      return chance * (1 - Math.min(1, survival(z(ms - atMs)) / runsStill)) ** count;
    }, 1);
  let [from, to] = [0, Math.max(0, ...groups.map(({ atMs }) => atMs)) + 2 * farthestMs];
  for (let times = 0; times < HALVINGS; times += 1) {
    const middle = (from + to) / 2;
    if (allEndedBy(middle) < 0.5) from = middle;
    else to = middle;
  }
  return groups.some(({ count }) => count > 0) ? to : 0;
}

/** The chance of a normal value above `z`, within 2e-7 of itself: Numerical Recipes, `erfcc`. */
function survival(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  if (!Number.isFinite(x)) return z < 0 ? 1 : 0;
  const t = 1 / (1 + x / 2);
  const [c0, ...rest] = ERFC;
  const power = rest.reduceRight((sum, factor) => t * (factor + sum), 0);
  const above = (t * Math.exp(-x * x + c0 + power)) / 2;
  return z >= 0 ? above : 1 - above;
}

const ERFC = [
  ...([-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587] as const),
  ...([-0.82215223, 0.17087277] as const),
] as const;
