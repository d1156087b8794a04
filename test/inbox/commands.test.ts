import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { openDrops } from '../../src/archive/open-drops.ts';
import { openPlace } from '../acceptance/place.ts';
import { startRedis } from '../services/redis.ts';
import { manifestOf, reportOf } from './stand.ts';

const waitingSchema = z.array(z.object({ batch: z.string(), take: z.string(), why: z.string(), credits: z.number() }));

test('a worker takes what is dropped beside its work; what costs too much is listed, and made once it is approved', async (context) => {
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  const place = await openPlace(context, { env: { REDIS_URL: redis.url } });
  const drops = openDrops({ url: join(place.folder, 'drop') });
  await mkdir(join(place.folder, 'drop'));
  await place.write('drop/dear.yaml', manifestOf('dear', ['A pear', 'A plum', 'A fig']));
  await place.write('drop/cheap.yaml', manifestOf('cheap', ['A lamp']));
  const worker = place.start(['worker', '--inbox', 'drop', '--budget-each', '16', '--rest', '200ms']);

  const dear = await reportOf(drops, 'waiting', 'dear.yaml');
  expect(dear.text).toContain('flux-batch inbox approve dear');
  await vi.waitFor(async () => expect((await reportOf(drops, 'accepted', 'cheap.yaml')).status).toBe('ended'));
  expect(place.simulator.ledger().tasks.accepted).toBe(1);

  const [listed, unknown] = await Promise.all([
    place.run(['inbox', 'approve', '--json']),
    place.run(['inbox', 'approve', 'deer']),
  ]);
  expect(waitingSchema.parse(JSON.parse(listed.stdout))).toMatchObject([
    { batch: 'dear', take: dear.take, credits: 24, why: expect.stringContaining('--budget-each') },
  ]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining(`Waiting: ${dear.take}`)]);
  expect((await place.run(['inbox', 'approve', 'dear'])).code).toBe(0);
  await vi.waitFor(async () => expect((await reportOf(drops, 'accepted', 'dear.yaml')).status).toBe('ended'));
  expect(place.simulator.ledger().tasks.accepted).toBe(4);
  await vi.waitFor(async () => expect(await drops.names('waiting')).toEqual([]));
  worker.kill('SIGTERM');
  expect((await worker.exit()).code).toBe(0);
});
