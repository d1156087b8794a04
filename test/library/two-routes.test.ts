import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FluxError, type LoadedManifest, loadManifest, openFluxBatch, type Settings } from '../../index.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { startRedis } from '../services/redis.ts';

const ITEMS = 16;

async function openPlace() {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-routes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const simulate = async (more: SimulatorOptions = {}) => {
    const simulator = await startSimulator({
      ...{ timeScale: 0.01, rate: { max: 1_000, windowMs: 1_000 }, pollRate: { max: 1_000, windowMs: 1_000 } },
      ...{ pictures: 'plain', imageSize: 64, imageBytes: 1_000 },
      prices: TEST_PRICES,
      ...more,
    });
    onTestFinished(() => simulator.close());
    return simulator;
  };
  const instance = (archive: string, simulator: { url: string; apiKey: string }, settings: Settings = {}) => {
    const flux = openFluxBatch({
      FLUX_API_URL: simulator.url,
      FLUX_API_KEY: simulator.apiKey,
      ...WITH_TEST_PRICES,
      FLUX_RATE_LIMIT: '20/500ms',
      FLUX_POLL_LIMIT: '1000/1s',
      REDIS_URL: redis.url,
      ARCHIVE_URL: join(folder, archive),
      ...settings,
    });
    onTestFinished(() => flux.close());
    return flux;
  };
  const manifest = async (batch: string, items = ITEMS): Promise<LoadedManifest> => {
    const file = join(folder, `${batch}.yaml`);
    const jobs = Array.from({ length: items }, (_, index) => ({ id: `i${index}`, prompt: `${batch} ${index}` }));
    await writeFile(file, JSON.stringify({ version: 1, batch, jobs }));
    return loadManifest(file);
  };
  const rows = async (archive: string, batch: string) =>
    (await readFile(join(folder, archive, batch, 'results.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { simulate, instance, manifest, rows };
}

type Flux = ReturnType<typeof openFluxBatch>;

/** To the end of the batch; resolves with how long that took on this machine, for a comparison with what ran beside it. */
async function make(flux: Flux, manifest: LoadedManifest): Promise<number> {
  const startedAt = performance.now();
  await flux.enqueue(manifest);
  await flux.work();
  for await (const { outlook } of flux.follow(manifest.batch)) if (outlook === 'stopped') break;
  return performance.now() - startedAt;
}

test('two archives and two APIs on one Redis: each makes its own, and takes no longer than alone', async () => {
  const { simulate, instance, manifest, rows } = await openPlace();
  const [one, two] = [await simulate(), await simulate()];
  const [first, second] = [await manifest('first'), await manifest('second')];
  // On a Redis of its own and at the same time: what slows the machine slows all three.
  const apart = await openPlace();
  const single = apart.instance('a', await apart.simulate());
  const [alone, ...together] = await Promise.all([
    make(single, await apart.manifest('alone')),
    make(instance('a', one), first),
    make(instance('b', two), second),
  ]);

  expect(one.ledger().tasks.accepted).toBe(ITEMS);
  expect(two.ledger().tasks.accepted).toBe(ITEMS);
  expect(one.ledger().submits.seen + two.ledger().submits.seen).toBe(2 * ITEMS);
  expect((await rows('a', 'first')).map(({ state }) => state)).toEqual(Array(ITEMS).fill('archived'));
  expect((await rows('b', 'second')).map(({ state }) => state)).toEqual(Array(ITEMS).fill('archived'));
  await expect(rows('a', 'second')).rejects.toThrow('ENOENT');
  await expect(rows('b', 'first')).rejects.toThrow('ENOENT');
  // A worker that puts off the other's jobs takes 5 s for each round.
  expect(Math.max(...together)).toBeLessThan(3 * alone + 3_000);
});

test('a batch under way is refused for another archive and for another API', async () => {
  const { simulate, instance, manifest } = await openPlace();
  const [one, two] = [await simulate(), await simulate()];
  const lamps = await manifest('lamps');
  await instance('a', one).enqueue(lamps);
  const codeOf = (error: unknown) => (error instanceof FluxError ? error.code : error);
  expect(await instance('b', one).enqueue(lamps).catch(codeOf)).toBe('archive-differs');
  expect(await instance('a', two).enqueue(lamps).catch(codeOf)).toBe('api-differs');
  expect(await instance('a', one).enqueue(lamps)).toMatchObject({ submits: ITEMS });
});

test('archives that share an API share its limit of running tasks', async () => {
  const { simulate, instance, manifest } = await openPlace();
  const api = await simulate({ timeScale: 0.05 });
  const settings = { FLUX_MAX_TASKS: 5 };
  // Both are there before either works: a worker learns of queues that come later with its next sign of life.
  const [a, b] = [instance('a', api, settings), instance('b', api, settings)];
  const [first, second] = [await manifest('first', 12), await manifest('second', 12)];
  await a.enqueue(first);
  await b.enqueue(second);
  await Promise.all([make(a, first), make(b, second)]);
  const log = api.ledger().taskLog;
  const running = log.map(
    ({ at }) => log.filter((other) => other.at <= at && (other.endedAt ?? Number.POSITIVE_INFINITY) > at).length,
  );
  expect(Math.max(...running)).toBeLessThanOrEqual(5);
  expect(log).toHaveLength(24);
});

test('enqueue refuses to pay again for what is gone, unless told to', async () => {
  const { simulate, instance, manifest } = await openPlace();
  const api = await simulate();
  const [here, there] = [instance('a', api), instance('b', api)];
  const lamps = await manifest('lamps');
  await make(here, lamps);
  const error = await there.enqueue(lamps).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'archive-lost', message: expect.stringContaining(`${ITEMS} archived images`) });
  expect(await there.enqueue(lamps, { remake: true })).toMatchObject({ submits: ITEMS });
});
