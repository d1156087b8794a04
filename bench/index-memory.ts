// The memory that the index of a large batch takes, 1,000,000 rows by default:   npm run bench:index
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderArchive } from '../src/archive/folder.ts';
import type { ItemRecord } from '../src/items/record.ts';
import { writeIndexFiles } from '../src/results/write-index.ts';
import { archivedRecordOf } from '../test/results/sample-batch.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const folder = await mkdtemp(join(tmpdir(), 'flux-batch-index-'));
let peak = 0;
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 100);
const start = performance.now();
await writeIndexFiles('bench', records(), { archive: folderArchive(folder), folder: 'bench/' });
clearInterval(timer);
const seconds = Math.round((performance.now() - start) / 1000);
const sizes = await Promise.all(
  ['results.jsonl', 'results.csv', 'index.html'].map(async (name) => (await stat(join(folder, 'bench', name))).size),
);
console.log(JSON.stringify({ rows, seconds, peakRssMb: Math.round(peak / 1e6), sizes }));
await rm(folder, { recursive: true, force: true });

async function* records(): AsyncGenerator<ItemRecord> {
  const record = archivedRecordOf('bench', { variables: { color: 'red', angle: 'front' } });
  for (let n = 0; n < rows; n++) yield { ...record, id: `item-${String(n).padStart(7, '0')}`, name: `item-${n >> 2}` };
}
