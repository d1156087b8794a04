import { beforeAll, expect, inject, test } from 'vitest';
import { KEPT, keepsPromise } from './figures.ts';
import { isLong } from './length.ts';
import { type MixedEnd, mixedRun } from './mixed-run.ts';

beforeAll(() => {
  const { accessKeyId, secretAccessKey } = inject('s3');
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
});

/** FAULTS=long: ten seeds of 300 and 60 items; else one of 24 and 8, its troubles as dense. FAULTS_SEEDS=3,7 picks some. */
const SEEDS = process.env.FAULTS_SEEDS?.split(',').map(Number) ?? (isLong ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1]);
const LONG = {
  parties: [
    { items: 300, workers: 2 },
    { items: 60, workers: 1 },
  ],
  share: 0.05,
  killEveryMs: 10_000,
  hangUpEveryMs: 14_000,
  cutEveryMs: 12_000,
  redisDiesAtMs: [7_000, 45_000],
  redisReadOnly: { atMs: 55_000, forMs: 6_000 },
  s3Down: { atMs: 15_000, forMs: 20_000 },
  submitsPerSecond: 8,
  withinMs: 800_000,
};
const SHORT = {
  ...LONG,
  parties: [
    { items: 24, workers: 2 },
    { items: 8, workers: 1 },
  ],
  killEveryMs: 6_000,
  hangUpEveryMs: 4_000,
  cutEveryMs: 8_000,
  redisDiesAtMs: [3_000, 12_000],
  redisReadOnly: { atMs: 9_500, forMs: 2_000 },
  s3Down: { atMs: 5_000, forMs: 4_000 },
};

test.each(SEEDS)('seed %i: all faults at 5 % each, Redis, S3, records and the workers die', async (seed) => {
  const end = await mixedRun({ ...(isLong ? LONG : SHORT), seed, s3Endpoint: inject('s3').endpoint });
  const { figures, struck, hungUpEnds } = end;
  process.stdout.write(`${lineOf(seed, end)}\n`);
  keepsPromise(`mixed, seed ${seed}`, figures);
  expect(figures.archived + figures.failed + figures.held).toBe(figures.items);
  for (const [what, times] of Object.entries(struck)) expect(times, what).toBeGreaterThan(0);
  // By exit code 0, or killed (-9) before it came to that: the terminal itself ends nothing.
  expect(hungUpEnds).toContain(0);
  expect(hungUpEnds).not.toContain('SIGHUP');
});

/** For the table of docs/faults.md. */
function lineOf(seed: number, { figures, struck, tookMs }: MixedEnd): string {
  const { kills, hangUps, cuts, faults } = struck;
  const { items, archived, failed, held, tasks } = figures;
  const kept = KEPT.map((name) => figures[name]);
  const seconds = Math.round(tookMs / 1_000);
  return `| ${[seed, kills, hangUps, cuts, faults, seconds, items, archived, failed, held, tasks, ...kept].join(' | ')} |`;
}
