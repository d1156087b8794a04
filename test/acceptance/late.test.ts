import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const ITEMS = 16;
const ORIGIN_TTL_MS = 3_000;

test.concurrent('images whose original URL died before an archive worker came are archived from the stored one', async (context) => {
  const place = await openPlace(context, { simulator: { originTtlMs: ORIGIN_TTL_MS } });
  const manifest = await place.manifest('late', promptsFor(ITEMS));
  await untilOriginalsAreDead(place, manifest, ITEMS);

  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  const records = await recordsOf(place, 'late');
  expect(records.map((record) => record.state === 'archived' && record.source)).toEqual(Array(ITEMS).fill('stored'));
  expectOneTaskEach(place, ITEMS);
  expect(place.simulator.ledger().downloads).toMatchObject({ origin: 0, stored: ITEMS });
  await expectImagesAsRecorded(place, 'late');
});

test.concurrent('an archive worker of its own, started when the originals are dead, archives from the stored URL', async (context) => {
  const place = await openPlace(context, { simulator: { originTtlMs: ORIGIN_TTL_MS }, env: { FLUX_ORIGIN_TTL: '3s' } });
  const manifest = await place.manifest('late', promptsFor(ITEMS));
  const others = place.start(['worker', 'submit', 'poll']);
  await until('the worker works', () => others.stderr().includes('submit, poll to'));
  await place.run(['enqueue', manifest]);
  await untilOriginalsDied(place, ITEMS);

  const archiver = place.start(['worker', 'archive']);
  await until('all are archived', async () => countBy(await recordsOf(place, 'late')).archived === ITEMS, {
    seen: () => archiver.stderr(),
  });
  for (const worker of [others, archiver]) worker.kill('SIGTERM');
  for (const worker of [others, archiver]) expect((await worker.exit()).code, worker.stderr()).toBe(0);
  const records = await recordsOf(place, 'late');
  expect(records.map((record) => record.state === 'archived' && record.source)).toEqual(Array(ITEMS).fill('stored'));
  // Our deadline had passed: nobody asked for what could not be there.
  expect(place.simulator.ledger().downloads).toMatchObject({ origin: 0, stored: ITEMS, expired: 0 });
  await expectImagesAsRecorded(place, 'late');
});

test.concurrent('items whose every URL is dead fail as expired, are named with it, and are not paid for again', async (context) => {
  const place = await openPlace(context, { simulator: { originTtlMs: ORIGIN_TTL_MS, storedTtlMs: ORIGIN_TTL_MS } });
  const manifest = await place.manifest('dead', promptsFor(4));
  await untilOriginalsAreDead(place, manifest, 4);

  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(1);
  for (const name of ['item-1', 'item-2', 'item-3', 'item-4']) expect(stderr).toContain(`failed  ${name}  expired: `);
  const records = await recordsOf(place, 'dead');
  expect(records.map((record) => record.state === 'failed' && record.failure.class)).toEqual(Array(4).fill('expired'));
  await expectImagesAsRecorded(place, 'dead');

  const again = await place.run(['run', manifest]);
  expect(again.code).toBe(1);
  expectOneTaskEach(place, 4);
});

/** Everything but the archiving is done by a worker, which then ends. */
async function untilOriginalsAreDead(place: Place, manifest: string, items: number): Promise<void> {
  const worker = place.start(['worker', 'submit', 'poll']);
  await until('the worker works', () => worker.stderr().includes('submit, poll to'));
  const enqueued = await place.run(['enqueue', manifest]);
  expect(enqueued.code, enqueued.stderr).toBe(0);
  await untilOriginalsDied(place, items);
  worker.kill('SIGTERM');
  expect((await worker.exit()).code, worker.stderr()).toBe(0);
}

async function untilOriginalsDied(place: Place, items: number): Promise<void> {
  await until('every original URL is dead', () => {
    const { taskLog } = place.simulator.ledger();
    return (
      taskLog.length === items &&
      taskLog.every(({ endedAt }) => endedAt !== null && Date.now() > endedAt + ORIGIN_TTL_MS)
    );
  });
  await until('every task was found to have ended', async () => {
    const status = await place.run(['status', '--json']);
    const { finished } = JSON.parse(status.stdout).batches[0].items;
    return finished === items;
  });
}
