import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { readBatchFile } from '../../src/archive/batch-file.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { createLogger } from '../../src/logger.ts';
import { parseBudget } from '../../src/money/amount.ts';
import { WORKER_STAGES } from '../../src/wiring/fleet.ts';
import { openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';
import { pictures, startCrew } from '../batch/crew.ts';

/** Each method that reads the batch's file as `archive` has it, but for what happens once between read and write. */
function afterFirstRead(archive: Archive, happens: () => Promise<unknown>): Archive {
  let isFirst = true;
  const passingBy =
    <Found>(read: (key: string, signal?: AbortSignal) => Promise<Found>) =>
    async (key: string, signal?: AbortSignal) => {
      const found = await read(key, signal);
      if (key === 'spring/batch.json' && isFirst) {
        isFirst = false;
        await happens();
      }
      return found;
    };
  return { ...archive, read: passingBy(archive.read), readVersioned: passingBy(archive.readVersioned) };
}

it('keeps the budget and the digest of an enqueue that came while it wrote the totals', async () => {
  const { connections, enqueue, ended } = await startCrew();
  await enqueue('spring', pictures(1));
  const enqueueAgain = () =>
    enqueueManifest(
      { ...connections, config: { ...connections.config, budget: parseBudget('500') } },
      { batch: 'spring', digest: 'another' },
      (async function* () {})(),
    );
  const archive = afterFirstRead(connections.archive, enqueueAgain);
  const fleet = startFleet({ ...connections, archive }, await openPorts(connections), {
    stages: ['submit', 'poll', 'archive'],
    onTrouble: () => {},
  });
  await ended('spring');
  await fleet.drain(10_000);
  expect(await readBatchFile(connections.archive, 'spring')).toMatchObject({
    manifestDigest: 'another',
    settings: { budgetCredits: 500 },
    totals: { archived: 0 },
  });
});

it('ends a batch whose file cannot be written, as where a folder is in its place, and says so', async () => {
  const { connections, enqueue, ended } = await startCrew();
  await enqueue('spring', pictures(1));
  const path = join(connections.archive.url, 'spring/batch.json');
  await rm(path);
  await mkdir(path);
  const said: string[] = [];
  const log = createLogger('error', [], (line) => void said.push(line));
  const fleet = startFleet({ ...connections, log }, await openPorts(connections), {
    stages: WORKER_STAGES,
    onTrouble: () => {},
  });
  await ended('spring');
  await vi.waitFor(async () => {
    const counts = await connections.state.counts('spring');
    expect(counts?.finishedVersion).toBe(counts?.version);
  });
  await fleet.drain(10_000);
  expect(said.join('')).toContain('batch file cannot be written');
  expect((await connections.archive.read('spring/results.jsonl'))?.toString().trim().split('\n')).toHaveLength(1);
});
