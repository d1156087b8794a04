import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { expectOneTaskEach, mostWithin } from './ledger.ts';
import { openPlace, type Place, promptsFor, runsIn } from './place.ts';

const ITEMS = 30;
const RATE = { max: 10, windowMs: 500 };
/** What the limiter adds to the window, for requests that are slow on their way. */
const MARGIN_MS = 100;
const LOOK_EVERY_MS = 5;

test('run archives a whole batch, one task an item, within the rate, and leaves no server behind', async (context) => {
  const place = await openPlace(context, { pace: RATE });
  const manifest = await place.manifest('alone', promptsFor(ITEMS));
  const lateness = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  lateness.enable();

  const running = place.start(['run', manifest]);
  await until('a private Redis runs', () => place.redis() !== undefined);
  const pid = place.redis()?.pid ?? 0;
  const { code, stdout, stderr } = await running.exit();

  expect(code, stderr).toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toContain(`alone: ${ITEMS} of ${ITEMS} images archived`);
  expectOneTaskEach(place, ITEMS);
  expectWithinRate(place, lateness.max / 1e6 + LOOK_EVERY_MS);
  expect(countBy(await recordsOf(place, 'alone'))).toEqual({ archived: ITEMS });
  await expectImagesAsRecorded(place, 'alone');
  await expectIndexOf(join(place.folder, 'archive/alone'), ITEMS);
  expect(place.redis()).toBeUndefined();
  expect(runsIn(place.folder, pid)).toBe(false);
});

test('four worker processes share the rate, and make each image of an enqueued batch once', async (context) => {
  const place = await openPlace(context, { pace: RATE });
  const manifest = await place.manifest('fleet', promptsFor(ITEMS));
  const lateness = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  lateness.enable();

  const workers = Array.from({ length: 4 }, () => place.start(['worker']));
  await until('all workers work', () => workers.every((worker) => /^worker \d+: /m.test(worker.stderr())));
  const enqueued = await place.run(['enqueue', manifest, '--json']);
  expect(enqueued.code, enqueued.stderr).toBe(0);
  expect(JSON.parse(enqueued.stdout)).toEqual({ batch: 'fleet', items: ITEMS, submits: ITEMS, polls: 0 });

  const folder = join(place.folder, 'archive/fleet');
  await until('the index is written', async () => 'finished' in (await readJson(join(folder, 'batch.json'))));
  for (const worker of workers) worker.kill('SIGTERM');
  const exits = await Promise.all(workers.map((worker) => worker.exit()));

  for (const { code, stderr } of exits) expect(code, stderr).toBe(0);
  expectOneTaskEach(place, ITEMS);
  expectWithinRate(place, lateness.max / 1e6 + LOOK_EVERY_MS);
  expect(countBy(await recordsOf(place, 'fleet'))).toEqual({ archived: ITEMS });
  await expectImagesAsRecorded(place, 'fleet');
  await expectIndexOf(folder, ITEMS);
  expect(place.redis()).toBeUndefined();
});

/**
 * No more than the rate allows within a window and its margin as they were sent. The provider, which is in this process, saw a
 * request as much later as this process was late at the most, which is measured with it.
 */
function expectWithinRate(place: Place, lateMs: number): void {
  const windowMs = RATE.windowMs + Math.min(0, MARGIN_MS - lateMs);
  expect(mostWithin(place, windowMs), `late by up to ${lateMs} ms`).toBeLessThanOrEqual(RATE.max);
}

async function readJson(path: string): Promise<object> {
  return JSON.parse(await readFile(path, 'utf8'));
}

async function expectIndexOf(folder: string, items: number): Promise<void> {
  const lines = (await readFile(join(folder, 'results.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).state)).toEqual(Array(items).fill('archived'));
  expect((await readFile(join(folder, 'results.csv'), 'utf8')).trim().split('\n')).toHaveLength(items + 1);
  expect(await readJson(join(folder, 'batch.json'))).toMatchObject({ totals: { archived: items } });
}
