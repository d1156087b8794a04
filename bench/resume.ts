// How long a finished batch takes to be taken in again after Redis was lost, and its index:   npm run bench:resume -- 1000000
import { hash } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '../src/archive/archive.ts';
import { folderArchive } from '../src/archive/folder.ts';
import { layout } from '../src/archive/layout.ts';
import { recordsIn } from '../src/archive/records.ts';
import { segmentWriter } from '../src/archive/segment-writer.ts';
import { withOneLook } from '../src/batch/batch-look.ts';
import { enqueueManifest } from '../src/batch/enqueue.ts';
import { submitsToCome } from '../src/batch/submits-to-come.ts';
import { loadConfig } from '../src/config.ts';
import type { NewItem } from '../src/items/item.ts';
import type { ItemRecord } from '../src/items/record.ts';
import { expand, openManifest } from '../src/manifest/manifest.ts';
import { writeIndex } from '../src/results/write-index.ts';
import { connect } from '../src/wiring/connections.ts';
import { startRedis } from '../test/services/redis.ts';
import { peakRssMb } from './measure.ts';

const MANIFEST = `version: 1
batch: bench
defaults: { model: flux-kontext-pro, outputFormat: png, aspectRatio: "1:1", enableTranslation: false }
jobs:
  - id: product-{{ sku }}
    prompt: Product {{ sku }} on a table of oak, soft light from the left, the wall behind it out of focus
    rows: rows.csv
`;

/** The record of an item as a run would have left it. No image is there: nobody looks for one. */
function madeRecord({ id, name, batch, variant, priority, variables, request }: NewItem, n: number): ItemRecord {
  const at = (ms: number) => new Date(Date.UTC(2026, 2, 1) + n * 500 + ms).toISOString();
  return {
    version: 1,
    ...{ id, name, batch, variant, priority, variables, request, attempts: 1, earlierTaskIds: [] },
    taskId: hash('md5', id, 'hex'),
    timings: { queued: at(0), submitted: at(400), completed: at(9_200), discovered: at(9_700), archived: at(10_300) },
    state: 'archived',
    image: layout.image(batch, id, 'png'),
    thumb: layout.thumb(batch, id),
    ...{ bytes: 900_000 + (n % 70_000), width: 1024, height: 1024, contentType: 'image/png', source: 'origin' },
    sha256: hash('sha256', id, 'hex'),
  };
}

/** A finished batch in a folder: records, and segments of them, written past all that makes a write durable. */
export async function madeArchive(
  folder: string,
  items: AsyncIterable<NewItem>,
  recordOf: (item: NewItem, n: number) => ItemRecord = madeRecord,
): Promise<Archive> {
  const root = join(folder, 'archive');
  const archive = folderArchive(root);
  mkdirSync(join(root, layout.records('bench')), { recursive: true });
  const writer = segmentWriter(archive, 'bench');
  let n = 0;
  for await (const item of items) {
    const record = recordOf(item, n++);
    const path = join(root, layout.record('bench', record.id));
    writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
    const { size, mtimeMs } = statSync(path);
    await writer.add({ record, mark: `${size}-${mtimeMs}` });
  }
  await writer.commit();
  return archive;
}

type Timed = { ms: number; cpuMs: number };

async function watched(run: () => Promise<unknown>): Promise<Timed> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1_000 };
}

/** How long what follows a lost Redis takes: the question what it would cost, the recount, the intake, and the index. */
export async function resumeOf(rows: number) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-resume-'));
  const redis = await startRedis({ appendonly: false });
  try {
    await writeFile(join(folder, 'jobs.yaml'), MANIFEST);
    await writeFile(
      join(folder, 'rows.csv'),
      `sku\n${Array.from({ length: rows }, (_, row) => `sku-${row}\n`).join('')}`,
    );
    const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
    const made = await watched(() => madeArchive(folder, expand(manifest)));
    const config = loadConfig({ REDIS_URL: redis.url, ARCHIVE_URL: join(folder, 'archive'), FLUX_API_KEY: 'none' });
    const opened = await connect(config, { patient: false, prove: false });
    let reads = 0;
    const archive: Archive = {
      ...opened.archive,
      readVersioned: (key, signal) => {
        reads += 1;
        return opened.archive.readVersioned(key, signal);
      },
      readMarked: (key, signal) => {
        reads += 1;
        return opened.archive.readMarked(key, signal);
      },
    };
    const before = { ...opened, archive, records: recordsIn(archive) };
    const connections = withOneLook(before, 'bench');
    const asked = await watched(() => submitsToCome(connections, 'bench', expand(manifest)));
    const taken = await watched(() => enqueueManifest(connections, manifest, expand(manifest)));
    const rssMb = Math.round(peakRssMb(process.pid));
    const index = await watched(() =>
      writeIndex('bench', { archive, records: connections.records, prices: opened.prices }),
    );
    const counts = await opened.state.counts('bench');
    await opened.closers.closeAll();
    const seconds = ({ ms, cpuMs }: Timed) =>
      `${(ms / 1_000).toFixed(1)} (${(cpuMs / 1_000).toFixed(1)} of the processor)`;
    return {
      ...{ rows, archived: counts?.items.archived, recordReads: reads },
      ...{ madeS: seconds(made), askedS: seconds(asked), takenInS: seconds(taken), indexS: seconds(index) },
      ...{ rssMb, rssWithIndexMb: Math.round(peakRssMb(process.pid)) },
    };
  } finally {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1]?.endsWith('resume.js')) {
  for (const rows of process.argv.slice(2).map(Number)) console.log(JSON.stringify(await resumeOf(rows)));
}
