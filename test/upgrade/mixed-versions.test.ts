import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, type TestContext, test } from 'vitest';
import { batchFileSchema } from '../../src/archive/batch-file.ts';
import { countBy, expectImagesAsRecorded, filesIn, recordsOf } from '../acceptance/archived.ts';
import { type Cli, until } from '../acceptance/cli.ts';
import { expectOneTaskEach } from '../acceptance/ledger.ts';
import { openPlace, promptsFor } from '../acceptance/place.ts';
import { startRedis } from '../services/redis.ts';
import { type Former, formerVersion } from './former-version.ts';

/** 0.1.0 as clones had it before 0.2.0. */
const FORMER = 'a97a9b4';
const BATCH = 'spring';
const ITEMS = 160;

type Version = 'old' | 'new';

let former: Former;
beforeAll(async () => {
  former = await formerVersion(FORMER);
});

const OTHER: Record<Version, Version> = { old: 'new', new: 'old' };

test.for<Version>(['old', 'new'])(
  'an old worker beside a new one, enqueued by the %s version: each item is paid for once and archived, both did a part',
  async (producer, context) => {
    const mixed = await openMixed(context);
    await mixed.enqueue(producer);
    const [old, young] = [mixed.work('old'), mixed.work('new')];
    await mixed.ended();
    await stopped(old);
    await stopped(young);

    await mixed.expectAllArchivedOnce();
    const parts = [old, young].map((worker) => ({
      submits: did(worker, 'submitted'),
      images: did(worker, 'archived'),
    }));
    expect(parts[0]?.submits, JSON.stringify(parts)).toBeGreaterThan(0);
    expect(parts[1]?.submits, JSON.stringify(parts)).toBeGreaterThan(0);
    expect(parts.reduce((sum, { submits }) => sum + submits, 0)).toBe(ITEMS);
  },
);

test.for<Version>(['old', 'new'])(
  'what the %s version leaves when it is stopped in the middle, the other takes up: an upgrade, and the way back',
  async (first, context) => {
    const mixed = await openMixed(context);
    await mixed.enqueue(first);
    const leaving = mixed.work(first);
    await mixed.archivedAtLeast(ITEMS / 4);
    await stopped(leaving);
    const coming = mixed.work(OTHER[first]);
    await mixed.ended();
    await stopped(coming);

    await mixed.expectAllArchivedOnce();
    // Enqueueing once more finds nothing left to pay for. The old version does not know the ids of batches that the new one began.
    for (const version of first === 'old' ? (['old', 'new'] as const) : (['new'] as const))
      await mixed.enqueue(version);
    expectOneTaskEach(mixed.place, ITEMS);
  },
);

/** A place with both versions on one Redis and one archive; skips where the old one cannot be had. */
async function openMixed(context: TestContext) {
  if ('missing' in former) {
    process.stdout.write(`mixed versions are not tested: ${former.missing}\n`);
    return context.skip(former.missing);
  }
  const programs = { old: { program: former.program }, new: {} };
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  const place = await openPlace(context, { env: { REDIS_URL: redis.url } });
  const manifest = await place.manifest(BATCH, promptsFor(ITEMS));
  const archive = join(place.folder, 'archive', BATCH);
  const images = () => filesIn(join(archive, 'images'));

  return {
    place,
    async enqueue(version: Version): Promise<void> {
      const { code, stderr } = await place.run(['enqueue', manifest, '--yes'], {}, programs[version]);
      expect(code, stderr).toBe(0);
    },
    work: (version: Version): Cli => place.start(['worker'], {}, programs[version]),
    archivedAtLeast: (least: number) =>
      until(`${least} items are archived`, async () => (await images()).length >= least),
    /** By the file that the end of a batch is written to, last of all. */
    ended: () =>
      until('the batch has ended', async () => {
        const text = await readFile(join(archive, 'batch.json'), 'utf8');
        return batchFileSchema.parse(JSON.parse(text)).totals?.archived === ITEMS;
      }),
    async expectAllArchivedOnce(): Promise<void> {
      expectOneTaskEach(place, ITEMS);
      expect(countBy(await recordsOf(place, BATCH))).toEqual({ archived: ITEMS });
      await expectImagesAsRecorded(place, BATCH);
    },
  };
}

/** SIGTERM, as the pages tell: it drains and ends well. */
async function stopped(worker: Cli): Promise<void> {
  worker.kill('SIGTERM');
  const { code, stderr } = await worker.exit();
  expect(code, stderr).toBe(0);
}

/** How many items its log says that it has moved on so. */
function did(worker: Cli, event: 'submitted' | 'archived'): number {
  return worker.stderr().split(`"msg":"${event}"`).length - 1;
}
