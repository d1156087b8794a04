import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { HOSTILE_FAULTS } from '../../src/simulator/faults.ts';
import { startRedis } from '../services/redis.ts';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const HOSTILE = [...HOSTILE_FAULTS, 'image-huge', 'image-33mb'] as const;
const EACH = 3;
const MOST_RSS_MB = 600;

test('any eight hostile images at once leave a worker alive, below 600 MB, and the others archived', async (context) => {
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  // What is hostile comes first: as many of it at once as the worker takes.
  const faults = HOSTILE.map((name) => ({ name, times: EACH, firstOnly: true }));
  const place = await openPlace(context, { simulator: { faults }, env: { REDIS_URL: redis.url } });
  const items = HOSTILE.length * EACH + 8;
  const manifest = await place.manifest('hostile', promptsFor(items), { outputFormat: 'png' });
  expect((await place.run(['enqueue', manifest])).code).toBe(0);

  const worker = place.start(['worker']);
  await until('all are archived', async () => countBy(await recordsOf(place, 'hostile')).archived === items, {
    seen: () => `${worker.stderr()}${JSON.stringify(place.simulator.ledger().downloads)}`,
  });
  const peakMb = await peakRssMb(worker.pid);
  worker.kill('SIGTERM');
  expect(await worker.exit()).toMatchObject({ code: 0, signal: null });
  expect(place.simulator.ledger().faults).toEqual(Object.fromEntries(HOSTILE.map((name) => [name, EACH])));
  expectOneTaskEach(place, items);
  await expectImagesAsRecorded(place, 'hostile');
  expect(peakMb).toBeLessThan(MOST_RSS_MB);
});

/** The most memory that it ever held, as Linux counts it. */
async function peakRssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
