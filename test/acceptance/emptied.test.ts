import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { clientOf } from '../services/redis-client.ts';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { type Cli, until } from './cli.ts';
import { accepted, expectOneTaskEach } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

test('a run whose Redis is emptied under it goes on to the end by itself, paying nothing twice', async (context) => {
  const place = await openPlace(context, { pace: { max: 10, windowMs: 500 } });
  const running = place.start(['run', await place.manifest('flushed', promptsFor(40))]);
  await until('some are submitted', () => accepted(place) >= 15);
  await flush(place);
  const { code, stderr } = await running.exit();

  expect(code, stderr).toBe(0);
  expect(stderr).toContain('Redis has lost the batch');
  expectOneTaskEach(place, 40);
  expect(countBy(await recordsOf(place, 'flushed'))).toEqual({ archived: 40 });
  await expectImagesAsRecorded(place, 'flushed');
});

test('after an emptied Redis and a killed process, the same command finishes the batch, one task an item', async (context) => {
  const place = await openPlace(context, { pace: { max: 10, windowMs: 1_500 } });
  const manifest = await place.manifest('emptied', promptsFor(80));
  const killed = place.start(['run', manifest, '--yes']);
  await until('some images are archived', () => place.simulator.ledger().downloads.origin >= 5);
  await stopBetweenSubmits(place, killed, 'emptied');
  expect(accepted(place)).toBeLessThan(80);
  await flush(place);
  killed.kill('SIGKILL');
  await killed.exit();

  const { code, stderr } = await place.run(['run', manifest, '--yes']);
  expect(code, stderr).toBe(0);
  expectOneTaskEach(place, 80);
  expect(countBy(await recordsOf(place, 'emptied'))).toEqual({ archived: 80 });
  await expectImagesAsRecorded(place, 'emptied');
});

/** Stops the process where no claim awaits its answer, so that nothing is unknown afterwards. */
async function stopBetweenSubmits(place: Place, cli: Cli, batch: string): Promise<void> {
  await until('no submit is under way', async () => {
    cli.kill('SIGSTOP');
    const records = await recordsOf(place, batch);
    const started = records.filter((record) => 'taskId' in record).length;
    if (started === accepted(place) && records.every(({ state }) => state !== 'claimed')) return true;
    cli.kill('SIGCONT');
    await sleep(5);
    return false;
  });
}

async function flush(place: Place): Promise<void> {
  const redis = clientOf(place.redis()?.url ?? '');
  try {
    await redis.connect();
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
