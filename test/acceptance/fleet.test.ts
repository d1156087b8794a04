import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { type BatchFile, batchFileSchema } from '../../src/archive/batch-file.ts';
import { startCluster } from '../services/cluster.ts';
import { startRedis } from '../services/redis.ts';
import { countBy, expectImagesAsRecorded, filesIn, recordsOf } from './archived.ts';
import { type Cli, until } from './cli.ts';
import { accepted } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const ITEMS = 500;
/** Where most of the time goes by until a dead worker is taken over. */
const FEWER = 240;
const BATCH = 'spring';

const SERVERS = {
  'one Redis': () => startRedis(),
  'a Redis Cluster of three nodes': () => startCluster(3),
};
type Servers = keyof typeof SERVERS;

test.for<Servers>(['one Redis', 'a Redis Cluster of three nodes'])(
  'on %s four workers and a server archive a batch, 30 % of the callbacks lost, each item paid for once',
  async (servers, context) => {
    const place = await openFleetPlace(context, servers);
    const callbackUrl = await serve(place);
    const workers = [1, 2, 3, 4].map(() => place.start(['worker'], { FLUX_CALLBACK_URL: callbackUrl }));
    await enqueueBatch(place, ITEMS);

    await ended(place);
    for (const worker of workers) worker.kill('SIGTERM');
    const exits = await Promise.all(workers.map((worker) => worker.exit()));
    expect(exits.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(countBy(await recordsOf(place, BATCH))).toEqual({ archived: ITEMS });
    const { callbacks, repeatedRequests } = place.simulator.ledger();
    expect(accepted(place)).toBe(ITEMS);
    expect(repeatedRequests).toEqual([]);
    expect(callbacks.failed).toBe(0);
    expect(callbacks.lost / (callbacks.lost + callbacks.delivered)).toBeGreaterThan(0.2);
    await expectImagesAsRecorded(place, BATCH);
  },
);

test.for<Servers>(['one Redis', 'a Redis Cluster of three nodes'])(
  'on %s two workers are killed, a third drains and a new one comes: all is archived, nothing twice',
  async (servers, context) => {
    const place = await openFleetPlace(context, servers);
    const callbackUrl = await serve(place);
    const start = () => place.start(['worker'], { FLUX_CALLBACK_URL: callbackUrl });
    const [first, second, third, fourth] = [start(), start(), start(), start()];
    await enqueueBatch(place, FEWER);

    await archivedAtLeast(place, FEWER / 4);
    first.kill('SIGKILL');
    third.kill('SIGTERM');
    second.kill('SIGKILL');
    const fifth = start();
    expect((await third.exit()).code).toBe(0);

    await ended(place);
    await decideWhatIsHeld(place);
    await ended(place, FEWER);
    for (const worker of [fourth, fifth]) worker.kill('SIGTERM');
    await Promise.all([first, second, fourth, fifth].map((worker) => worker.exit()));
    expect(countBy(await recordsOf(place, BATCH))).toEqual({ archived: FEWER });
    expect(accepted(place)).toBe(FEWER);
    expect(place.simulator.ledger().repeatedRequests).toEqual([]);
    await expectImagesAsRecorded(place, BATCH);
  },
);

async function openFleetPlace(context: TestContext, servers: Servers): Promise<Place> {
  const redis = await SERVERS[servers]();
  context.onTestFinished(() => redis.stop());
  return openPlace(context, {
    simulator: { callbackLostShare: 0.3, callbackDuplicateShare: 0.1, webhookKey: 'secret' },
    env: { REDIS_URL: redis.url, FLUX_WEBHOOK_KEY: 'secret' },
  });
}

async function serve(place: Place): Promise<string> {
  const server: Cli = place.start(['serve', '--port', '0']);
  const url = () => /^flux-batch serves (\S+)$/m.exec(server.stderr())?.[1];
  await until('the server tells its address', () => url() !== undefined, { seen: () => server.stderr() });
  return url() ?? '';
}

async function enqueueBatch(place: Place, items: number): Promise<void> {
  const manifest = await place.manifest(BATCH, promptsFor(items));
  const { code, stderr } = await place.run(['enqueue', manifest, '--yes']);
  expect(code, stderr).toBe(0);
}

async function archivedAtLeast(place: Place, least: number): Promise<void> {
  const images = () => filesIn(join(place.folder, 'archive', BATCH, 'images'));
  await until(`${least} items are archived`, async () => (await images()).length >= least);
}

/** By what the last index says of the batch, which is written when every item has ended, and again when one that was held has. */
async function ended(place: Place, archived = 0): Promise<void> {
  let totals: BatchFile['totals'];
  const isOver = async () => {
    const text = await readFile(join(place.folder, 'archive', BATCH, 'batch.json'), 'utf8').catch(() => undefined);
    totals = text === undefined ? undefined : batchFileSchema.parse(JSON.parse(text)).totals;
    return totals !== undefined && (totals.archived ?? 0) >= archived;
  };
  await until('the batch has ended', isOver, { seen: () => JSON.stringify(totals) });
}

/** As a person would with the provider's list of tasks at hand: what has a task gets it, what has none is submitted again. */
async function decideWhatIsHeld(place: Place): Promise<void> {
  const held = (await recordsOf(place, BATCH)).filter(({ state }) => state === 'held');
  const taskOf = new Map(place.simulator.ledger().taskLog.map(({ taskId, request }) => [promptOf(request), taskId]));
  for (const { id, request } of held) {
    const taskId = taskOf.get(request.prompt);
    const words = taskId === undefined ? ['resubmit', id, '--yes'] : ['attach', id, taskId];
    const { code, stderr } = await place.run(['held', BATCH, ...words]);
    expect(code, stderr).toBe(0);
  }
}

function promptOf(request: unknown): unknown {
  return typeof request === 'object' && request !== null && 'prompt' in request ? request.prompt : undefined;
}
