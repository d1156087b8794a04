import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArchive } from '../src/archive/open.ts';
import { recordsIn } from '../src/archive/records.ts';
import type { Bench } from './bench.ts';
import { startSimulator } from './children.ts';
import { median, times } from './measure.ts';
import { runBatch } from './run-cli.ts';

const RATE = { max: 20, windowMs: 10_000 };

/** A whole batch at the limit, against what no program could beat: each window's submits at its first moment. */
export const batchTimeBench: Bench = {
  name: 'batch-time',
  waits: 'always',
  async run({ quick }) {
    const items = quick ? 60 : 400;
    const simulator = await startSimulator([
      ...['--rate', '20/10s', '--latency', '40ms', '--jitter', '20ms', '--max-tasks', '100'],
      ...['--pictures', 'plain', '--image-size', '768', '--image-bytes', '200000'],
    ]);
    const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
    try {
      const tookMs = await runBatch(folder, items, {
        FLUX_API_URL: simulator.url,
        FLUX_API_KEY: simulator.apiKey,
        FLUX_RATE_LIMIT: '20/10s',
        ARCHIVE_URL: join(folder, 'archive'),
      });
      const { taskLog, refused429 } = await simulator.ledger();
      const { archiveMs, lastArchivedAt } = await archivedIn(join(folder, 'archive'));
      const tasks = taskLog
        .map(({ at, endedAt }) => ({ at, durationMs: (endedAt ?? at) - at }))
        .sort((a, b) => a.at - b.at);
      // The ideal has the same tasks in the same order: the last to end ends the batch.
      const idealMs =
        Math.max(...tasks.map(({ durationMs }, index) => Math.floor(index / RATE.max) * RATE.windowMs + durationMs)) +
        archiveMs;
      const oursMs = lastArchivedAt - (tasks[0]?.at ?? 0);
      const ratio = oursMs / idealMs;
      const rows = [
        {
          what: `a batch of ${items} at 20/10s, from the first submit to the last image`,
          target: '≤ 1.03 × the ideal',
          measured: `${times(ratio)} (${(oursMs / 1_000).toFixed(1)} of ${(idealMs / 1_000).toFixed(1)} s); the command ${(tookMs / 1_000).toFixed(1)} s, refused ${refused429.submits}`,
          met: ratio <= 1.03,
        },
      ];
      return { rows, data: { items, oursMs, idealMs, tookMs, archiveMs, refused429 } };
    } finally {
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function archivedIn(folder: string): Promise<{ archiveMs: number; lastArchivedAt: number }> {
  const records = recordsIn(await openArchive({ url: folder }));
  const took: number[] = [];
  let lastArchivedAt = 0;
  for await (const id of records.list('bench')) {
    const { discovered = '', archived = '' } = (await records.read('bench', id))?.timings ?? {};
    took.push(Date.parse(archived) - Date.parse(discovered));
    lastArchivedAt = Math.max(lastArchivedAt, Date.parse(archived));
  }
  return { archiveMs: median(took), lastArchivedAt };
}
