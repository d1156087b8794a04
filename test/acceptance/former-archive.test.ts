import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type TestContext, test } from 'vitest';
import { accepted } from './ledger.ts';
import { openPlace } from './place.ts';

/** An archive that version 0.2.0 made, with its manifest. Nobody writes to it. */
const FORMER = fileURLToPath(new URL('../upgrade/archive-of-0.2.0', import.meta.url));
const ITEMS = 12;

async function openFormer(context: TestContext) {
  const place = await openPlace(context);
  await cp(FORMER, place.folder, { recursive: true });
  const edit = async (file: string, change: (text: string) => string) => {
    const path = join(place.folder, file);
    await writeFile(path, change(await readFile(path, 'utf8')));
  };
  return { place, edit };
}

async function expectNothingMade({ place }: Awaited<ReturnType<typeof openFormer>>): Promise<void> {
  const planned = await place.run(['plan', 'jobs.yaml', '--json']);
  expect(planned.code, planned.stderr).toBe(0);
  expect(JSON.parse(planned.stdout)).toMatchObject({ items: ITEMS, toMake: 0, archived: ITEMS, credits: 0 });
  const { code, stderr } = await place.run(['run', 'jobs.yaml']);
  expect(code, stderr).toBe(0);
  expect(accepted(place)).toBe(0);
}

test('what a version before item ids had a version has archived is found in full', async (context) => {
  await expectNothingMade(await openFormer(context));
});

test('so it is when line ends, composition of letters or stated defaults of the API have changed since', async (context) => {
  const former = await openFormer(context);
  await former.edit('products.csv', (text) => text.replaceAll('\r\n', '\n'));
  await former.edit('jobs.yaml', (text) =>
    text.normalize('NFC').replace('aspectRatio: "1:1"', 'aspectRatio: "1:1", enableTranslation: true, uploadCn: false'),
  );
  await expectNothingMade(former);
});
