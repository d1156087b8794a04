import { expect, it } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { readBatchFile } from '../../src/archive/batch-file.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
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
      { ...connections, config: { ...connections.config, budgetCredits: 500 } },
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
