import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, filesIn, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const FAULTS = [
  'image-cut',
  'image-short',
  'image-long',
  'image-empty',
  'image-html',
  'image-wrong-format',
  'image-huge',
  'image-bomb',
  'image-redirect-inside',
  'image-500',
] as const;

test.concurrent.for(['jpeg', 'png'])(
  'spoiled %s images are fetched again and only whole ones are archived',
  async (outputFormat, context) => {
    const faults = FAULTS.map((name) => ({ name, times: 3 }));
    const place = await openPlace(context, { simulator: { faults } });
    const manifest = await place.manifest('spoiled', promptsFor(16), { outputFormat });
    const { code, stderr } = await place.run(['run', manifest]);

    expect(code, stderr).toBe(0);
    const ledger = place.simulator.ledger();
    expect(ledger.faults).toEqual(Object.fromEntries(FAULTS.map((name) => [name, 3])));
    const { origin, stored, link } = ledger.downloads;
    expect(origin + stored + link).toBeGreaterThan(16);
    expectOneTaskEach(place, 16);
    expect(countBy(await recordsOf(place, 'spoiled'))).toEqual({ archived: 16 });
    await expectImagesAsRecorded(place, 'spoiled');
  },
);

/** What a gateway does for a while; the others are an answer, or arrive whole after all. */
const PASSING = ['image-cut', 'image-empty', 'image-html', 'image-500', 'image-redirect-inside'] as const;

test.concurrent('while every download is spoiled nothing is archived, and all is once they are whole', async (context) => {
  // Of those left, each takes its part: together they spoil every download, and all alike.
  const faults = PASSING.map((name, index) => ({ name, share: 1 / (PASSING.length - index) }));
  const place = await openPlace(context, { simulator: { faults } });
  const running = place.start(['run', await place.manifest('hopeless', promptsFor(12))]);
  const hits = () => place.simulator.ledger().faults;
  await until('each fault has hit', () => PASSING.every((name) => (hits()[name] ?? 0) >= 3), {
    seen: () => `${running.stderr()}${JSON.stringify(hits())}`,
  });
  expect(countBy(await recordsOf(place, 'hopeless'))).toEqual({ submitted: 12 });
  expect(await filesIn(join(place.folder, 'archive/hopeless/images'))).toEqual([]);

  place.simulator.setFaults([]);
  const { code, stderr } = await running.exit();
  expect(code, stderr).toBe(0);
  expectOneTaskEach(place, 12);
  await expectImagesAsRecorded(place, 'hopeless');
});
