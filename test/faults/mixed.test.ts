import { beforeAll, expect, inject, test } from 'vitest';
import { keepsPromise } from './figures.ts';
import { isLong } from './length.ts';
import { mixedRun } from './mixed-run.ts';

beforeAll(() => {
  const { accessKeyId, secretAccessKey } = inject('s3');
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
});

/** FAULTS=long: ten seeds of 300 items; else one of 24, its troubles as dense. FAULTS_SEEDS=3,7 picks some. */
const SEEDS = process.env.FAULTS_SEEDS?.split(',').map(Number) ?? (isLong ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1]);
const LONG = {
  items: 300,
  share: 0.05,
  workers: 2,
  killEveryMs: 10_000,
  redisDiesAtMs: [7_000, 45_000],
  s3Down: { atMs: 15_000, forMs: 20_000 },
  submitsPerSecond: 8,
  withinMs: 800_000,
};
const SHORT = {
  ...LONG,
  items: 24,
  killEveryMs: 6_000,
  redisDiesAtMs: [3_000, 12_000],
  s3Down: { atMs: 5_000, forMs: 4_000 },
};

test.each(SEEDS)('seed %i: all faults at 5 % each, Redis, S3 and the workers die', async (seed) => {
  const { figures, kills, faults, tookMs } = await mixedRun({
    ...(isLong ? LONG : SHORT),
    seed,
    s3Endpoint: inject('s3').endpoint,
  });
  keepsPromise(`mixed, seed ${seed}, ${kills} kills, ${faults} faults, ${Math.round(tookMs / 1_000)} s`, figures);
  expect(figures.archived + figures.failed + figures.held).toBe(figures.items);
  expect(kills).toBeGreaterThan(0);
});
