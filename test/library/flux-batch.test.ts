import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  FluxError,
  loadManifest,
  ManifestError,
  openFluxBatch,
  type Progress,
  type Question,
  type Settings,
} from '../../index.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { startRedis } from '../services/redis.ts';

/** Not a word may come out of the library in any of these tests. */
beforeEach(() => {
  vi.spyOn(process.stdout, 'write');
  vi.spyOn(process.stderr, 'write');
});
afterEach(() => {
  const said = [...vi.mocked(process.stdout.write).mock.calls, ...vi.mocked(process.stderr.write).mock.calls];
  vi.restoreAllMocks();
  expect(said).toEqual([]);
});

async function open(simulated: SimulatorOptions = {}, settings: Settings = {}, log?: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-library-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const simulator = await startSimulator({
    ...{ timeScale: 0.01, rate: { max: 1_000, windowMs: 1_000 }, pictures: 'plain', imageSize: 64, imageBytes: 1_000 },
    prices: TEST_PRICES,
    ...simulated,
  });
  onTestFinished(() => simulator.close());
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const flux = openFluxBatch(
    {
      FLUX_API_URL: simulator.url,
      FLUX_API_KEY: simulator.apiKey,
      ...WITH_TEST_PRICES,
      FLUX_RATE_LIMIT: '50/500ms',
      FLUX_POLL_LIMIT: '1000/1s',
      REDIS_URL: redis.url,
      ARCHIVE_URL: join(folder, 'archive'),
      ...settings,
    },
    log ? { log } : {},
  );
  onTestFinished(() => flux.close());
  const manifest = async (batch: string, prompts: readonly string[]) => {
    const file = join(folder, `${batch}.yaml`);
    const jobs = prompts.map((prompt, index) => ({ id: `i${index}`, prompt }));
    await writeFile(file, JSON.stringify({ version: 1, batch, jobs }));
    return loadManifest(file);
  };
  return { folder, simulator, redis, flux, manifest };
}

const lamps = (count: number) => Array.from({ length: count }, (_, index) => `lamp ${index}`);

async function lastOf(snapshots: AsyncIterable<Progress>): Promise<Progress | undefined> {
  let last: Progress | undefined;
  for await (const snapshot of snapshots) last = snapshot;
  return last;
}

const codeOf = (error: unknown) => (error instanceof FluxError ? error.code : error);
const failing = (promise: Promise<unknown>) => promise.then(() => 'no error', codeOf);

test('makes a batch, tells how it goes, and reads its rows with what was chosen', async () => {
  const { flux, manifest } = await open();
  const before = ['SIGINT', 'SIGTERM', 'exit'].map((name) => process.listenerCount(name));
  const lamp = await manifest('lamps', [...lamps(5), 'a forbidden lamp']);
  expect(lamp.totals.items).toBe(6);
  expect(await flux.enqueue(lamp)).toEqual({ items: 6, submits: 6, polls: 0 });
  const workers = await flux.work();
  const seen: Progress[] = [];
  for await (const progress of flux.follow('lamps')) seen.push(progress);
  expect(seen.at(-1)).toMatchObject({ outlook: 'ended', done: 6, total: 6, items: { archived: 5, failed: 1 } });
  expect(seen.slice(0, -1).map(({ outlook }) => outlook)).not.toContain('ended');

  const rows = [];
  for await (const row of flux.results('lamps', { where: 'state!=archived' })) rows.push(row);
  expect(rows).toMatchObject([{ state: 'failed', failureClass: 'content-policy', variables: {}, image: null }]);
  expect(await workers.drain()).toBe(true);
  expect(['SIGINT', 'SIGTERM', 'exit'].map((name) => process.listenerCount(name))).toEqual(before);

  expect(await flux.enqueue(lamp)).toEqual({ items: 6, submits: 0, polls: 0 });
  await flux.close();
  await flux.close();
  expect(await failing(flux.enqueue(lamp))).toBe('closed');
});

test('says what holds the work up, and what to do', async () => {
  const { flux, manifest } = await open();
  await flux.enqueue(await manifest('lamps', lamps(2)));
  const { findings, bottleneck } = await flux.diagnose('lamps');
  expect(findings).toEqual([bottleneck]);
  expect(bottleneck).toMatchObject({
    kind: 'no-worker',
    severity: 'critical',
    remedy: expect.stringContaining('worker'),
  });
  expect(await failing(flux.diagnose('vases'))).toBe('batch-unknown');
});

test('closes what was being opened when it was closed', async () => {
  const { flux, manifest } = await open();
  const lamp = await manifest('lamps', lamps(1));
  const opening = failing(flux.enqueue(lamp));
  await flux.close();
  expect(await opening).toBe('closed');
});

test('ends to follow a batch that its budget stops, and goes on with a larger one', async () => {
  const { flux, manifest, simulator } = await open();
  const lamp = await manifest('lamps', lamps(5));
  await flux.enqueue(lamp, { budget: 16 });
  await flux.work();
  expect(await lastOf(flux.follow('lamps'))).toMatchObject({
    outlook: 'out-of-budget',
    credits: 16,
    items: { archived: 2, queued: 3 },
    beyondBudget: { items: 3, credits: 24 },
  });
  expect(simulator.ledger().tasks.accepted).toBe(2);
  await flux.enqueue(lamp, { budget: 40 });
  expect(await lastOf(flux.follow('lamps'))).toMatchObject({ outlook: 'ended', items: { archived: 5 } });
  expect(await failing(flux.enqueue(lamp, { budget: -1 }))).toBe('option-invalid');
  expect(await failing(flux.enqueue(lamp, { priority: 0.5 }))).toBe('option-invalid');
});

test('takes its settings from nowhere but what it is given', async () => {
  vi.stubEnv('FLUX_API_KEY', 'from-the-environment');
  vi.stubEnv('FLUX_RATE_LIMIT', 'nonsense');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { flux } = await open({}, { FLUX_API_KEY: undefined });
  expect(await failing(flux.work())).toBe('api-key-missing');
  expect(() => openFluxBatch(process.env)).toThrow(/FLUX_RATE_LIMIT/);
  expect(() => openFluxBatch({ FLUX_MAX_TASKS: 0, ON_UNKNOWN: 'what' })).toThrow(/FLUX_MAX_TASKS.*\n.*ON_UNKNOWN/);
});

test('leaves off with the reason of a signal, and with an error for what it does not know', async () => {
  const { flux, manifest, redis } = await open();
  expect(await failing(lastOf(flux.follow('lamps')))).toBe('batch-unknown');
  await flux.enqueue(await manifest('lamps', lamps(2)));
  const stopping = new AbortController();
  const reason = new Error('enough');
  const followed = failing(lastOf(flux.follow('lamps', { signal: stopping.signal })));
  stopping.abort(reason);
  expect(await followed).toBe(reason);
  const read = async (options: { where?: string; signal?: AbortSignal }) => {
    for await (const row of flux.results('lamps', options)) expect(row).toBeDefined();
  };
  expect(await failing(read({ where: 'color=red' }))).toBe('where-unknown');
  expect(await failing(read({ where: 'color' }))).toBe('where-invalid');
  expect(await failing(loadManifest('no-such.yaml'))).toBe('manifest-invalid');
  await expect(loadManifest('no-such.yaml')).rejects.toBeInstanceOf(ManifestError);

  const lost = failing(lastOf(flux.follow('lamps')));
  const { Redis } = await import('ioredis');
  const other = new Redis(redis.url);
  await other.flushall();
  other.disconnect();
  expect(['batch-lost', 'batch-unknown']).toContain(await lost);
});

test('follow throws what stops the workers', async () => {
  const lines: string[] = [];
  const { flux, manifest, folder } = await open({}, {}, (line) => void lines.push(line));
  await flux.enqueue(await manifest('lamps', lamps(2)));
  // A file in place of the folder for images.
  await writeFile(join(folder, 'archive', 'lamps', 'images'), '');
  await flux.work();
  expect(await failing(lastOf(flux.follow('lamps')))).toBe('archive-denied');
  expect(lines.some((line) => JSON.parse(line).msg === 'trouble')).toBe(true);
});

test('asks what the command line asks where it is told to, and plan shows what differs', async () => {
  const { flux, manifest, folder, simulator } = await open({}, { CONFIRM_CREDITS: 30 });
  const lamp = await manifest('asked', lamps(5));
  expect(await flux.plan(lamp)).toEqual({
    ...{ items: 5, toMake: 5, waiting: 0, archived: 0, begun: 0, credits: 40, differences: [] },
  });
  const asked: Question[] = [];
  const confirm = (answer: boolean) => async (question: Question) => {
    asked.push(question);
    return answer;
  };
  expect(await failing(flux.enqueue(lamp, { confirm: confirm(false) }))).toBe('spending-unconfirmed');
  expect(asked).toEqual([{ kind: 'spend', message: expect.stringContaining('5 to submit'), items: 5, credits: 40 }]);
  await flux.enqueue(lamp, { confirm: confirm(true) });
  await flux.work();
  await lastOf(flux.follow('asked'));

  const file = join(folder, 'asked.yaml');
  const jobs = lamps(5).map((prompt, index) => ({ id: `i${index}`, prompt, enableTranslation: false }));
  await writeFile(file, JSON.stringify({ version: 1, batch: 'asked', jobs }));
  const edited = await loadManifest(file);
  const differs = '5 have an image under this name with another request: enableTranslation – → false';
  expect(await flux.plan(edited)).toMatchObject({ toMake: 5, archived: 0, credits: 40, differences: [differs] });
  asked.length = 0;
  expect(await failing(flux.enqueue(edited, { confirm: confirm(false) }))).toBe('remake-unconfirmed');
  expect(asked).toMatchObject([{ kind: 'make-again', items: 5, message: expect.stringContaining(differs) }]);
  expect(simulator.ledger().tasks.accepted).toBe(5);
});

test('an enqueue that waits for a Redis without memory ends with its signal', async () => {
  const { flux, manifest, redis } = await open();
  const admin = new Redis(redis.url);
  onTestFinished(() => admin.disconnect());
  const first = await manifest('first', lamps(1));
  await flux.enqueue(first);
  await admin.config('SET', 'maxmemory', '1');
  const stopping = new AbortController();
  const enqueued = flux.enqueue(await manifest('full', lamps(3)), { signal: stopping.signal });
  stopping.abort(new FluxError('enough', 'waited long enough'));
  expect(await failing(enqueued)).toBe('enough');
  await admin.config('SET', 'maxmemory', '0');
  expect(await flux.enqueue(await manifest('full', lamps(3)))).toMatchObject({ items: 3 });
});
