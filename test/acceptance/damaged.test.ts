import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordFile } from './archived.ts';
import { until } from './cli.ts';
import { accepted, submitsSeen } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const REFUSED = 'A forbidden place';

async function rowsOf(place: Place, batch: string): Promise<{ name: string; state: string; failureMessage: string }[]> {
  const text = await readFile(join(place.folder, 'archive', batch, 'results.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test.concurrent('a record that is cut off is named, and everything else is done', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('cut', promptsFor(8));
  expect((await place.run(['run', manifest, '--limit', '4'])).code).toBe(0);
  const file = await recordFile(place, 'cut', 'item-2');
  const whole = await readFile(file, 'utf8');
  await truncate(file, 100);

  const { code, stderr, stdout } = await place.run(['run', manifest, '--json']);
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(/unreadable .*cut\/items\/item-2-[0-9a-f]{12}\.json/);
  expect(JSON.parse(stdout).failures).toMatchObject([{ state: 'unreadable', class: 'record-corrupt' }]);
  expect(accepted(place)).toBe(8);
  expect((await rowsOf(place, 'cut')).map(({ state }) => state).sort()).toEqual([
    ...Array(7).fill('archived'),
    'unreadable',
  ]);
  expect(await readFile(file, 'utf8')).toHaveLength(100);

  const results = await place.run(['results', 'cut']);
  expect(results.code).toBe(1);
  expect(results.stdout.trim().split('\n')).toHaveLength(8);
  expect(results.stderr).toContain('cut/items/item-2-');
  expect((await place.run(['results', 'cut', '--out', 'out'])).code).toBe(1);
  expect((await readdir(join(place.folder, 'out', 'images'))).length).toBe(7);

  await writeFile(file, whole);
  const mended = await place.run(['run', manifest]);
  expect(mended.code, mended.stderr).toBe(0);
  expect((await rowsOf(place, 'cut')).every(({ state }) => state === 'archived')).toBe(true);
  expect(accepted(place)).toBe(8);
});

test.concurrent('an image that is gone from the archive is named by all who count it, and nothing is paid for again', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('torn', promptsFor(4));
  expect((await place.run(['run', manifest])).code).toBe(0);
  const images = join(place.folder, 'archive', 'torn', 'images');
  const [file = ''] = await readdir(images);
  const id = file.replace(/\.\w+$/, '');
  const image = await readFile(join(images, file));
  await rm(join(images, file));

  const plan = await place.run(['plan', manifest]);
  expect(plan.stdout).toMatch(/to make +0; already archived: 3/);
  expect(plan.stdout).toMatch(/missing +1 image gone from the archive: flux-batch results torn names it/);
  const { code, stderr, stdout } = await place.run(['run', manifest, '--json']);
  expect(code, stderr).toBe(1);
  expect(stderr).toContain('torn: 3 of 4 images archived');
  expect(stderr).toContain(`flux-batch redo torn ${id}`);
  expect(JSON.parse(stdout).failures).toMatchObject([{ id, state: 'missing', class: 'image-missing' }]);
  const status = await place.run(['status']);
  expect(status.stdout).toContain('torn: 1 image is not in the archive any more');
  const results = await place.run(['results', 'torn']);
  expect(results.code).toBe(1);
  expect(results.stderr).toMatch(
    new RegExp(`missing: torn/images/${file} .*\n1 image missing: .*flux-batch redo torn ${id}`),
  );
  expect(accepted(place)).toBe(4);

  await writeFile(join(images, file), image);
  const mended = await place.run(['run', manifest]);
  expect(mended.code, mended.stderr).toBe(0);
  expect((await place.run(['status'])).stdout).not.toContain('not in the archive');
  expect((await place.run(['results', 'torn'])).code).toBe(0);
});

test.concurrent('a batch.json that is cut off keeps nothing from being done or read', async (context) => {
  const place = await openPlace(context, { pace: { max: 4, windowMs: 500 } });
  const manifest = await place.manifest('headless', promptsFor(20));
  const file = join(place.folder, 'archive', 'headless', 'batch.json');
  const running = place.start(['run', manifest]);
  await until('some are submitted', () => accepted(place) >= 4);
  await truncate(file, 20);
  const { code, stderr } = await running.exit();
  expect(code, stderr).toBe(0);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ version: 1, totals: { archived: 20 } });

  await truncate(file, 20);
  const results = await place.run(['results', 'headless']);
  expect(results.code).toBe(1);
  expect(results.stdout.trim().split('\n')).toHaveLength(20);
  expect(results.stderr).toContain('headless/batch.json');
});

test.concurrent('a run of a part forgets nothing of the rest, and its end is the end of the batch', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('parts', [...promptsFor(4), REFUSED]);
  expect((await place.run(['run', manifest])).code).toBe(1);
  const part = await place.run(['run', manifest, '--only', 'item-1', '--json']);
  expect(part.code, part.stderr).toBe(1);
  expect(JSON.parse(part.stdout)).toMatchObject({ total: 5, items: { archived: 4, failed: 1 } });
  expect((await place.run(['retry', 'parts', '--yes'])).stderr).toContain('1 item queued');
  expect((await place.run(['run', manifest])).code).toBe(1);

  // Gone from the manifest, but not from what a person may still decide on.
  const shorter = await place.manifest('parts', promptsFor(4));
  const whole = await place.run(['run', shorter, '--json']);
  expect(whole.code, whole.stderr).toBe(0);
  expect(whole.stderr).toContain('not in this manifest any more');
  expect(JSON.parse(whole.stdout)).toMatchObject({ total: 5, failures: [{ former: true }] });
  expect(submitsSeen(place)).toBe(6);
  expect((await place.run(['retry', 'parts', '--yes'])).stderr).toContain('1 item queued');
});
