import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { drawCaptions } from '../../src/archive/captions.ts';
import { contactSheet } from '../../src/archive/contact-sheet.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { sheetCells } from '../../src/archive/sheet-cells.ts';
import { newFolder } from '../results/folders.ts';

/** Of more than 200 pictures, whose cells are the small ones; some are wide and some are high. */
async function pictured(count: number) {
  const stored = folderArchive(await newFolder());
  const colors = [
    { r: 200, g: 30, b: 30 },
    { r: 30, g: 160, b: 60 },
    { r: 40, g: 60, b: 200 },
  ];
  const thumbs = await Promise.all(
    colors.map((background, n) =>
      sharp({ create: { width: n === 1 ? 200 : 320, height: n === 1 ? 320 : 200, channels: 3, background } })
        .webp()
        .toBuffer(),
    ),
  );
  const pictures = Array.from({ length: count }, (_, n) => ({
    thumb: `spring/thumbs/item-${n}.webp`,
    name: `item ${n}`,
    variant: 1,
  }));
  for (const [n, { thumb }] of pictures.entries())
    await stored.write(thumb, thumbs[n % 3] ?? Buffer.alloc(0), { contentType: 'image/webp' });
  const reads: string[] = [];
  const archive: Archive = {
    ...stored,
    read(key, signal) {
      reads.push(key);
      return stored.read(key, signal);
    },
  };
  return { archive, pictures, reads };
}

test('a sheet has the same pictures, whether they were drawn before or when it is', async () => {
  const { archive, pictures, reads } = await pictured(230);
  const plain = await sharp(await contactSheet(pictures, archive))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const cells = sheetCells(archive);
  const ahead = pictures.slice(0, 210);
  for (const { thumb } of ahead.slice(0, 200)) cells.add(thumb);
  // So many may be all, and a sheet of few has larger cells: nothing is drawn that nobody wants.
  expect(reads).toHaveLength(pictures.length);
  for (const { thumb } of ahead.slice(200)) cells.add(thumb);
  const last = ahead.at(-1)?.thumb ?? '';
  await vi.waitFor(async () => expect(await cells.get(last)).toBeDefined(), { timeout: 20_000 });
  reads.length = 0;
  const drawn = await sharp(await contactSheet(pictures, archive, cells))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(reads).toHaveLength(20);
  expect(drawn.info).toMatchObject({ width: plain.info.width, height: plain.info.height });
  let [sum, most] = [0, 0];
  // One in seven: it goes through all three colours.
  for (let index = 0; index < drawn.data.length; index += 7) {
    const difference = Math.abs((drawn.data[index] ?? 0) - (plain.data[index] ?? 0));
    sum += 7 * difference;
    if (difference > most) most = difference;
  }
  expect(sum / drawn.data.length).toBeLessThan(1);
  expect(most).toBeLessThan(60);
  cells.drop('spring/');
  expect(await cells.get(last)).toBeUndefined();
});

test('captions are the same, whether they are drawn together or one by one', async () => {
  const captions = ['Leuchtturm', 'öäü <b>&', '', 'a', '灯塔', 'aaa', 'W'.repeat(80), 'a'];
  const [together, single] = [
    await drawCaptions(sharp, captions),
    await Promise.all(captions.map(async (caption) => (await drawCaptions(sharp, [caption]))[0])),
  ];
  const ink = (picture: (typeof together)[number]) =>
    picture ? [...picture.data].reduce((sum, value) => sum + (0xf6 - value), 0) : 0;
  for (const [index, picture] of together.entries()) {
    expect(picture === undefined).toBe(captions[index] === '');
    if (captions[index] !== '灯塔' && picture) expect(ink(picture)).toBeGreaterThan(300);
    expect(picture?.height).toBe(single[index]?.height);
    // Of paper there may be more beside it.
    expect(Math.abs(inkRows(picture) - inkRows(single[index]))).toBeLessThanOrEqual(1);
  }
});

/** How many rows have something dark. */
function inkRows(picture: Awaited<ReturnType<typeof drawCaptions>>[number]): number {
  if (!picture) return 0;
  const rows = Array.from({ length: picture.height }, (_, y) =>
    picture.data.subarray(y * picture.width * 3, (y + 1) * picture.width * 3),
  );
  return rows.filter((row) => row.some((value) => value < 0xa0)).length;
}
