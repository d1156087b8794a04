import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { imagesOf } from '../../src/items/images.ts';
import { PRICES_FILE } from '../../src/money/load-prices.ts';
import { countBy, expectImagesAsRecorded, filesIn, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

/** Ten items of four images each, which are left as they came. */
async function tenOfFour(place: Place): Promise<string> {
  const jobs = promptsFor(10).map((prompt, index) => ({ id: `item-${index + 1}`, prompt }));
  const defaults = {
    ...{ provider: 'kie-jobs', model: 'bytedance/seedream-v4-text-to-image', aspectRatio: '1:1', embed: false },
    parameters: { max_images: 4 },
  };
  return place.write('fours.yaml', JSON.stringify({ version: 1, batch: 'fours', defaults, jobs }));
}

/** Forty images, each with the bytes that the provider says it has served, and ten tasks are paid for. */
async function expectAllThere(place: Place): Promise<void> {
  const records = await recordsOf(place, 'fours');
  expect(countBy(records)).toEqual({ archived: 10 });
  await expectImagesAsRecorded(place, 'fours');
  const { taskLog, tasks, credits } = place.simulator.ledger();
  expect([tasks.accepted, credits.charged]).toEqual([10, 200]);
  const served = new Map(taskLog.map(({ taskId, images = [] }) => [taskId, images.map(({ sha256 }) => sha256)]));
  let count = 0;
  for (const record of records) {
    if (record.state !== 'archived') continue;
    const stored: string[] = [];
    for (const { image } of imagesOf(record)) {
      const body = await readFile(join(place.folder, 'archive', image));
      stored.push(createHash('sha256').update(body).digest('hex'));
    }
    expect(stored).toEqual(served.get(record.taskId));
    count += stored.length;
  }
  expect(count).toBe(40);
}

test('ten items of four images are forty images in the archive for the price of forty, and plan and budget knew', async (context) => {
  const place = await openPlace(context);
  const manifest = await tenOfFour(place);
  const env = { FLUX_PRICES: fileURLToPath(PRICES_FILE) };
  const plan = await place.run(['plan', manifest, '--json'], env);
  expect(JSON.parse(plan.stdout)).toMatchObject({ credits: 200 });
  const short = await place.run(['run', manifest, '--budget', '199', '--yes'], env);
  expect(place.simulator.ledger().tasks.accepted, short.stderr).toBeLessThan(10);
  const { code, stderr } = await place.run(['run', manifest, '--budget', '200', '--yes'], env);
  expect(code, stderr).toBe(0);
  await expectAllThere(place);
});

test('killed between the images of its items, a batch has all of them after the next run, and pays for none again', async (context) => {
  const place = await openPlace(context, { simulator: { imageBytes: 400_000 } });
  const manifest = await tenOfFour(place);
  for (const stored of [3, 14, 27]) {
    const running = place.start(['run', manifest, '--yes']);
    const images = async () => (await filesIn(join(place.folder, 'archive/fours/images'))).length;
    const isThere = async () => (await images()) >= stored || !running.isRunning();
    await until('so many images are stored', isThere, { seen: running.stderr });
    running.kill('SIGKILL');
    await running.exit();
  }
  const { code, stderr } = await place.run(['run', manifest, '--yes']);
  expect(code, stderr).toBe(0);
  await expectAllThere(place);
});

test('where the second image of each is dead the run says so, and the others are there', async (context) => {
  const place = await openPlace(context);
  place.simulator.setFaults([{ name: 'stored-dead', share: 1, image: 2 }]);
  const { code, stdout, stderr } = await place.run(['run', await tenOfFour(place), '--yes']);
  expect(code, stderr).toBe(0);
  expect(stdout + stderr).toMatch(/image 2 of 4 could not be had \(expired\)/);
  expect(stdout + stderr).toMatch(/flux-batch rescue fours\b.* ask once more for what 10 items of several images lack/);
  await expectImagesAsRecorded(place, 'fours');
  const records = await recordsOf(place, 'fours');
  const numbers = records.map((record) =>
    record.state === 'archived' ? imagesOf(record).map(({ number }) => number) : [],
  );
  expect(numbers).toEqual(Array(10).fill([1, 3, 4]));
});
