import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ItemRecord } from '../../src/items/record.ts';
import { WRAPPING_FAULTS } from '../../src/simulator/faults.ts';
import { countBy, expectImagesAsRecorded, filesIn, recordsOf } from './archived.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const WRAPPINGS = [...WRAPPING_FAULTS, 'image-wrong-format', 'image-long'] as const;
const EACH = 3;

test.concurrent.for(['jpeg', 'png'])(
  'sixty-six %s images in every wrapping are archived',
  async (outputFormat, context) => {
    const faults = WRAPPINGS.map((name) => ({ name, times: EACH, firstOnly: true }));
    const place = await openPlace(context, { simulator: { faults } });
    const items = WRAPPINGS.length * EACH;
    const manifest = await place.manifest('wrapped', promptsFor(items), { outputFormat });
    const { code, stderr } = await place.run(['run', manifest, '--yes']);

    expect(code, stderr).toBe(0);
    const ledger = place.simulator.ledger();
    expect(ledger.faults).toEqual(Object.fromEntries(WRAPPINGS.map((name) => [name, EACH])));
    // One, as a rule; on a busy machine a large one may time out.
    expect(Math.max(...ledger.taskLog.map(({ fetches }) => fetches))).toBeLessThanOrEqual(3);
    expectOneTaskEach(place, items);
    const records = await recordsOf(place, 'wrapped');
    expect(countBy(records)).toEqual({ archived: items });
    await expectImagesAsRecorded(place, 'wrapped');
    await expectEachItsOwn(place, records);

    const notes = records.flatMap((record) =>
      'imageNote' in record && record.imageNote !== undefined ? [record.imageNote] : [],
    );
    const other = outputFormat === 'png' ? 'jpeg' : 'png';
    for (const came of [other, 'webp', 'avif', 'gif', 'tiff'])
      expect(notes).toContain(`asked for ${outputFormat}, came as ${came}`);
    expect(notes).toContain('1 byte behind the end of the image kept');
    expect(notes).toContain('1 byte before the image dropped');
    expect(stderr).toContain(`${notes.length} images archived, but not quite as asked for:`);
    const rows = (await place.run(['results', 'wrapped'])).stdout.trim().split('\n');
    expect(rows.filter((row) => JSON.parse(row).imageNote !== null)).toHaveLength(notes.length);
    expect(await readFile(join(place.folder, 'archive/wrapped/index.html'), 'utf8')).toContain(`came as ${other}`);
  },
);

/** The simulator writes into each image whose it is. */
async function expectEachItsOwn(place: Place, records: readonly ItemRecord[]): Promise<void> {
  for (const record of records) {
    if (record.state !== 'archived') continue;
    const body = await readFile(join(place.folder, 'archive', record.image));
    expect(body.includes(JSON.stringify(record.request.prompt)), record.image).toBe(true);
  }
}

test.concurrent('what no source has in a way that can be decoded is kept with its reason after two downloads from each', async (context) => {
  const place = await openPlace(context, { simulator: { faults: [{ name: 'image-row-bomb', share: 1 }] } });
  const items = 4;
  const manifest = await place.manifest('refused', promptsFor(items));
  const { code, stderr } = await place.run(['run', manifest]);

  expect(code, stderr).toBe(1);
  expect(place.simulator.ledger().downloads).toEqual({
    origin: 2 * items,
    stored: 2 * items,
    link: 2 * items,
    expired: 0,
  });
  expectOneTaskEach(place, items);
  const records = await recordsOf(place, 'refused');
  for (const record of records) {
    if (record.state !== 'failed') throw new Error(`${record.id} is ${record.state}`);
    expect(record.failure).toMatchObject({ class: 'invalid-image', message: expect.stringContaining('pixels') });
    const { refused } = record;
    expect(refused).toMatchObject({
      key: `refused/refused/${record.id}.bin`,
      reason: expect.stringContaining('pixels'),
    });
    const bytes = await readFile(join(place.folder, 'archive', refused?.key ?? ''));
    expect(bytes.length).toBe(refused?.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(refused?.sha256);
    expect(stderr).toContain(`bytes kept in ${refused?.key}`);
  }
  expect(await filesIn(join(place.folder, 'archive/refused/images'))).toEqual([]);
  const rows = (await place.run(['results', 'refused'])).stdout.trim().split('\n');
  expect(rows.map((row) => JSON.parse(row).refused)).toEqual(records.map(({ id }) => `refused/refused/${id}.bin`));

  // Once a source has the image, the same command archives it, and pays for nothing.
  place.simulator.setFaults([]);
  const again = await place.run(['run', manifest]);
  expect(again.code, again.stderr).toBe(0);
  expectOneTaskEach(place, items);
  await expectImagesAsRecorded(place, 'refused');
});
