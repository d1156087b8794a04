// How long the summary of a run takes whose items have all failed, where each read of the archive takes 20 ms:
//   npm run bench:summary -- 500 100000
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive } from '../src/archive/archive.ts';
import { recordsIn } from '../src/archive/records.ts';
import { enqueueManifest } from '../src/batch/enqueue.ts';
import { summarize } from '../src/commands/summary.ts';
import { loadConfig } from '../src/config.ts';
import type { NewItem } from '../src/items/item.ts';
import type { ItemRecord } from '../src/items/record.ts';
import { connect } from '../src/wiring/connections.ts';
import { startRedis } from '../test/services/redis.ts';
import { itemsOf } from './batch.ts';
import { peakRssMb } from './measure.ts';
import { madeArchive } from './resume.ts';

const BATCH = 'bench';
const READ_MS = 20;

function failedRecord({ id, name, batch, variant, priority, variables, request }: NewItem): ItemRecord {
  return {
    version: 1,
    ...{ id, name, batch, variant, priority, variables, request, attempts: 1, earlierTaskIds: [] },
    taskId: hash('md5', id, 'hex'),
    timings: { queued: '2026-03-01T00:00:00.000Z', submitted: '2026-03-01T00:00:01.000Z' },
    state: 'failed',
    failure: { class: 'content-policy', message: 'The prompt was refused by the content policy.' },
  };
}

/** Each of its reads and listings takes longer by this. */
function late(archive: Archive): Archive {
  const after =
    <Args extends unknown[], Result>(run: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await sleep(READ_MS);
      return run(...args);
    };
  return {
    ...archive,
    read: after(archive.read),
    readVersioned: after(archive.readVersioned),
    readMarked: after(archive.readMarked),
    readPart: after(archive.readPart),
    marks: after(archive.marks),
  };
}

async function summaryOf(failed: number) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-summary-'));
  const redis = await startRedis({ appendonly: false });
  try {
    await madeArchive(folder, itemsOf(BATCH, failed), failedRecord);
    const config = loadConfig({ REDIS_URL: redis.url, ARCHIVE_URL: join(folder, 'archive'), FLUX_API_KEY: 'none' });
    const opened = await connect(config, { patient: false, prove: false });
    await enqueueManifest(opened, { batch: BATCH, digest: BATCH }, itemsOf(BATCH, failed));
    const counts = await opened.state.counts(BATCH);
    if (counts?.items.failed !== failed) throw new Error(`Not what was made: ${JSON.stringify(counts?.items)}`);
    const archive = late(opened.archive);
    const connections = { ...opened, archive, records: recordsIn(archive) };
    const run = { batch: BATCH, costByJob: async () => [], flags: {} };
    const end = {
      ended: true,
      counts,
      startedAt: Date.now(),
      before: undefined,
      stop: undefined,
      waitedFor: undefined,
    };
    const credits = async () => ({ kind: 'credits', credits: 1_000 }) as const;
    const startedAt = performance.now();
    await summarize(run, connections, { credits }, end, { balance: 1_000, known: 0, others: 0 });
    const seconds = Math.round(performance.now() - startedAt) / 1_000;
    await opened.closers.closeAll();
    return { failed, seconds, rssMb: Math.round(peakRssMb(process.pid)) };
  } finally {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

for (const failed of process.argv.slice(2).map(Number)) console.log(JSON.stringify(await summaryOf(failed)));
