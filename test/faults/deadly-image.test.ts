import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, recordsOf } from '../acceptance/archived.ts';
import { until } from '../acceptance/cli.ts';
import { expectOneTaskEach } from '../acceptance/ledger.ts';
import { openPlace, promptsFor } from '../acceptance/place.ts';
import { startRedis } from '../services/redis.ts';

const DECODER = fileURLToPath(new URL('deadly-decoder.mjs', import.meta.url));
const ITEMS = 6;

test('an image that kills three workers is kept in refused/, the fourth lives, and the other items are archived', async (context) => {
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  const place = await openPlace(context, { env: { REDIS_URL: redis.url } });
  const [first, ...others] = promptsFor(ITEMS);
  const manifest = await place.manifest('deadly', [`${first}, deadly`, ...others], { outputFormat: 'png' });
  expect((await place.run(['enqueue', manifest])).code).toBe(0);

  const env = { NODE_OPTIONS: `--import=${DECODER}` };
  let killed = 0;
  for (;;) {
    const worker = place.start(['worker'], env);
    const isOver = async () => countBy(await recordsOf(place, 'deadly')).failed === 1;
    await until('it dies, or lives on', async () => !worker.isRunning() || (await isOver()), { seen: worker.stderr });
    if (worker.isRunning()) {
      await until('all are archived', async () => countBy(await recordsOf(place, 'deadly')).archived === ITEMS - 1, {
        seen: worker.stderr,
      });
      worker.kill('SIGTERM');
      expect(await worker.exit()).toMatchObject({ code: 0, signal: null });
      break;
    }
    killed += 1;
    expect((await worker.exit()).signal).toBe('SIGKILL');
    expect(killed).toBeLessThanOrEqual(3);
  }
  expect(killed).toBe(3);
  const refused = (await recordsOf(place, 'deadly')).flatMap((record) =>
    record.state === 'failed' && record.refused ? [record.refused] : [],
  );
  expect(refused).toMatchObject([{ reason: 'Decoding it ended its process 3 times' }]);
  expect(await readFile(join(place.folder, 'archive', refused[0]?.key ?? ''))).toHaveLength(refused[0]?.bytes ?? -1);
  expectOneTaskEach(place, ITEMS);
  await expectImagesAsRecorded(place, 'deadly');
});
