import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { expectOneTaskEach, submitsSeen } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

test('running a manifest again submits nothing, and then only what was added or changed', async (context) => {
  const place = await openPlace(context);
  const prompts = promptsFor(12);
  const runWith = async (changed: readonly string[]) => {
    const before = submitsSeen(place);
    const { code, stderr } = await place.run(['run', await place.manifest('again', changed)]);
    expect(code, stderr).toBe(0);
    return { submits: submitsSeen(place) - before, stderr };
  };

  expect((await runWith(prompts)).submits).toBe(12);
  const second = await runWith(prompts);
  expect(second.submits).toBe(0);
  expect(second.stderr).toContain('12 of 12 images archived');
  expect(second.stderr).toContain('0 credits spent');
  expect((await runWith([...prompts, 'A harbour', 'A pier'])).submits).toBe(2);
  expect((await runWith(['A windmill', ...prompts.slice(1), 'A harbour', 'A pier'])).submits).toBe(1);

  expectOneTaskEach(place, 15);
  // The image of the former prompt was paid for and stays.
  expect(countBy(await recordsOf(place, 'again'))).toEqual({ archived: 15 });
  await expectImagesAsRecorded(place, 'again');
});
