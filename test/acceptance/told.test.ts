import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordFile } from './archived.ts';
import { accepted } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

test.concurrent('a record that is cut off when Redis was emptied is no reason to stand still or to pay', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('gone', promptsFor(5));
  expect((await place.run(['run', manifest])).code).toBe(0);
  await rm(join(place.folder, '.flux-batch'), { recursive: true });
  const file = await recordFile(place, 'gone', 'item-1');
  const { taskId } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, `{ "version": 1, "state": "submitted", "taskId": "${taskId}", `);
  await truncate(join(place.folder, 'archive', 'gone', 'batch.json'), 20);

  const rescue = await place.run(['rescue', 'gone', '--json']);
  expect(rescue.code, rescue.stderr).toBe(1);
  expect(JSON.parse(rescue.stdout)).toMatchObject({ asked: 0, unreadable: [{ taskId }] });
  expect(rescue.stderr).toContain(taskId);
  const retry = await place.run(['retry', 'gone', '--yes']);
  expect(retry.stderr).toMatch(/unreadable: .*gone\/items\/item-1-/);

  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(/unreadable .*gone\/items\/item-1-/);
  expect(accepted(place)).toBe(5);

  // Its image is there, and as little is known of it.
  const plan = await place.run(['plan', manifest]);
  expect(plan.stdout).toMatch(/to make +0; already archived: 4/);
  expect(plan.stdout).toMatch(/unreadable +1 record that cannot be read, .*flux-batch results gone names it/);
});

test.concurrent('what is gone from the archive is paid for again by a word only, and all that was spent counts', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('lost', promptsFor(6));
  expect((await place.run(['run', manifest])).code).toBe(0);
  await rm(join(place.folder, 'archive', 'lost'), { recursive: true });

  for (const command of ['run', 'enqueue']) {
    const refused = await place.run([command, manifest]);
    expect(refused.code, refused.stderr).toBe(2);
    expect(refused.stderr).toContain('6 archived images of lost are gone from the archive');
    expect(refused.stderr).toContain('making them again costs 48 credits');
  }
  expect(accepted(place)).toBe(6);

  const { code, stdout, stderr } = await place.run(['run', manifest, '--yes', '--json']);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ credits: 48, items: { archived: 6 }, balance: { unaccounted: 0 } });
  expect(place.simulator.ledger().credits.charged).toBe(96);
  await expectCredits(place, 'lost', 96);

  await rm(await recordFile(place, 'lost', 'item-3'));
  expect((await place.run(['run', manifest])).stderr).toContain('1 archived image of lost is gone');
  expect((await place.run(['run', manifest, '--yes'])).stderr).toContain('8 credits spent');
  await expectCredits(place, 'lost', 104);
});

async function expectCredits(place: Place, batch: string, credits: number): Promise<void> {
  expect(place.simulator.ledger().credits.charged).toBe(credits);
  const { stdout } = await place.run(['status', batch, '--json']);
  expect(JSON.parse(stdout).batches[0].credits).toBe(credits);
}
