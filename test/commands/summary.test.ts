import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { type Records, recordsIn } from '../../src/archive/records.ts';
import { summarize } from '../../src/commands/summary.ts';
import { loadConfig } from '../../src/config.ts';
import { redisSpending } from '../../src/fleet/spending.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { BATCH, openState } from '../fleet/open-state.ts';
import { client } from '../provider/client.ts';
import { failedRecordOf, PRICES } from '../results/sample-batch.ts';

/** A batch that has ended with these records, and how its records are read. */
async function endedWith(stored: readonly ItemRecord[]) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-summary-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const archive = folderArchive(folder);
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const provider = client(simulator.url, { apiKey: simulator.apiKey });
  const { state, redis, keys, counts } = await openState();
  const own = recordsIn(archive);
  await Promise.all(stored.map((record) => own.write(record)));
  await state.intake.admit(
    BATCH,
    stored.flatMap(({ id, state: to }) => (to === 'failed' || to === 'held' ? [{ id, was: undefined, to }] : [])),
  );
  const reads = { searches: 0, atOnce: 0, mostAtOnce: 0 };
  const records: Records = {
    ...own,
    async read(...args) {
      reads.atOnce += 1;
      reads.mostAtOnce = Math.max(reads.mostAtOnce, reads.atOnce);
      // As far away as a bucket is: others begin meanwhile, where they may.
      await new Promise(setImmediate);
      return own.read(...args).finally(() => {
        reads.atOnce -= 1;
      });
    },
  };
  const connections = {
    state: {
      ...state,
      itemsIn(...args: Parameters<typeof state.itemsIn>) {
        reads.searches += 1;
        return state.itemsIn(...args);
      },
    },
    records,
    archive,
    prices: PRICES,
    config: loadConfig({}),
    spending: redisSpending(redis, keys),
  };
  const opening = { balance: 1_000, known: 0, others: 0 };
  const summary = async () => {
    const end = { ended: true, counts: await counts(), startedAt: Date.now(), before: undefined };
    const whole = { ...end, stop: undefined, waitedFor: undefined };
    return summarize({ batch: BATCH, costByJob: async () => [], flags: {} }, connections, provider, whole, opening);
  };
  return { summary, reads };
}

const failures = (count: number) =>
  Array.from({ length: count }, (_, n) => failedRecordOf(BATCH, `item-${String(n).padStart(3, '0')}`, 'refused'));

describe('the summary of a run', () => {
  it('names the first failures and lists all as JSON; many records are read at once, and not all', async () => {
    const { summary, reads } = await endedWith(failures(300));
    const { json, lines } = await summary();
    const named = lines.filter((line) => line.startsWith('  failed'));
    expect(named).toHaveLength(50);
    expect(named[0]).toContain('item-000');
    expect(named[49]).toContain('item-049');
    expect(lines).toContain(`  … and 250 more: flux-batch results ${BATCH}`);
    expect(json).toMatchObject({ failures: failures(300).map(({ id }) => ({ id, state: 'failed' })) });
    expect(reads.mostAtOnce).toBeGreaterThan(30);
    expect(reads.mostAtOnce).toBeLessThanOrEqual(100);
  });

  it('looks through the items for failures only where there are some', async () => {
    const { summary, reads } = await endedWith([]);
    expect((await summary()).json).toMatchObject({ failures: [] });
    expect(reads.searches).toBe(0);
  });
});
