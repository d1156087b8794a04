// What the end of a batch of 400 costs the process that archived its last image:   npm run bench:end -- 400
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import type { Archive } from '../src/archive/archive.ts';
import { updateBatchFile } from '../src/archive/batch-file.ts';
import { folderArchive } from '../src/archive/folder.ts';
import { verifyImage } from '../src/archive/image.ts';
import { itemsFileWriter } from '../src/archive/items-file.ts';
import { layout } from '../src/archive/layout.ts';
import { recordsIn } from '../src/archive/records.ts';
import { type SheetCells, sheetCells } from '../src/archive/sheet-cells.ts';
import { writeIndex } from '../src/results/write-index.ts';
import { archivedRecordOf, PRICES, storeBatchFile } from '../test/results/sample-batch.ts';
import { member, startMember } from './children.ts';
import { peakRssMb, rssMb } from './measure.ts';

const BATCH = 'bench';
const KINDS = 16;

/** Thumbnails as the archive stage makes them, of pictures with some grain. */
async function madeThumbs(): Promise<{ picture: Buffer; thumbnail: Buffer }[]> {
  const made: { picture: Buffer; thumbnail: Buffer }[] = [];
  for (let n = 0; n < KINDS; n++) {
    const noise = { type: 'gaussian', mean: 60 + n * 8, sigma: 40 } as const;
    const grain = sharp({ create: { width: 1_024, height: 1_024, channels: 3, background: 'gray', noise } });
    const picture = await sharp(await grain.blur(2).png().toBuffer())
      .jpeg({ quality: 90 })
      .toBuffer();
    const verified = await verifyImage(picture);
    if (!verified.ok) throw new Error(verified.message);
    made.push({ picture, thumbnail: verified.image.thumbnail });
  }
  return made;
}

async function madeBatch(folder: string, items: number): Promise<Buffer> {
  const archive = folderArchive(folder);
  const records = recordsIn(archive);
  const made = await madeThumbs();
  const file = itemsFileWriter(archive, BATCH);
  for (let n = 0; n < items; n++) {
    const record = archivedRecordOf(BATCH, { name: `product-${n}`, variables: { sku: `sku-${n}` } });
    await records.create({ ...record, bytes: 200_000, width: 1_024, height: 1_024, sha256: 'a'.repeat(64) });
    const { id, name, batch, variant, priority, variables, request } = record;
    await file.add([{ id, name, batch, variant, priority, variables, request }]);
    const thumbnail = made[n % KINDS]?.thumbnail;
    if (thumbnail) await archive.write(record.thumb, thumbnail, { contentType: 'image/webp' });
  }
  const stored = await file.commit();
  await file.close();
  await storeBatchFile(archive, BATCH);
  await updateBatchFile(archive, BATCH, (now) => {
    if (now.kind !== 'file') throw new Error('Expected the batch file');
    return { ...now.file, manifest: { items: [stored.name], isWhole: true } };
  });
  return made[0]?.picture ?? Buffer.alloc(0);
}

/** As a worker does between two images. */
async function drawAhead(archive: Archive, cells: SheetCells): Promise<void> {
  for await (const id of recordsIn(archive).list(BATCH)) {
    const thumb = layout.thumb(BATCH, id);
    cells.add(thumb);
    while (!(await cells.get(thumb))) await sleep(1);
  }
}

if (process.send) {
  // The process has archived before: its libraries are loaded.
  await member<{ folder: string; picture: Buffer; ahead: boolean }>(async ({ folder, picture, ahead }) => {
    for (let n = 0; n < 10; n++) await verifyImage(Buffer.from(picture));
    const archive = folderArchive(folder);
    const records = recordsIn(archive);
    const cells = sheetCells(archive);
    if (ahead) await drawAhead(archive, cells);
    const before = { rss: rssMb(process.pid), cpu: process.cpuUsage(), at: performance.now() };
    await writeIndex(BATCH, { archive, records, prices: PRICES, cells });
    const { user, system } = process.cpuUsage(before.cpu);
    const took = { ms: Math.round(performance.now() - before.at), cpuMs: Math.round((user + system) / 1_000) };
    const more = Math.round(peakRssMb(process.pid) - before.rss);
    return { ready: { ...took, beforeMb: Math.round(before.rss), moreMb: more }, stop: async () => undefined };
  });
} else {
  const items = Number(process.argv[2] ?? 400);
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-end-'));
  try {
    const picture = await madeBatch(folder, items);
    for (let round = 0; round < 2 * Number(process.argv[3] ?? 5); round++) {
      const ahead = round % 2 === 1;
      const child = await startMember('batch-end', { folder, picture, ahead }, { execArgv: process.execArgv });
      console.log(JSON.stringify({ items, ahead, ...(child.ready as object) }));
      await child.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
