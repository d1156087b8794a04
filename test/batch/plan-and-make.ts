import { expect, vi } from 'vitest';
import { hasEnded } from '../../src/batch/counts.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { isPart, type Selection } from '../../src/manifest/selection.ts';
import { costOf, countOf, together } from '../../src/money/estimate.ts';
import { survey } from '../../src/plan/survey.ts';
import type { Rig } from './rig.ts';

/** Plans, makes and counts: the simulator's ledger is what was made. Resolves with how many were. */
export async function planAndMake(rig: Rig, file: string, selection: Selection): Promise<number> {
  const { connections, simulator } = rig;
  const { archive, prices, config } = connections;
  const { manifest } = await openManifest(file, { selection });
  const { batch, digest } = manifest;
  const settings = { ...config, isPart: isPart(selection) };
  const found = await survey(
    async () => archive,
    batch,
    () => expand(manifest),
    settings,
  );
  if (found.kind !== 'looked') throw new Error(found.message);
  const planned = countOf(together(found.left, found.waiting));
  const ledger = () => {
    const { tasks, credits } = simulator.ledger();
    return { made: tasks.accepted, credits: credits.charged };
  };
  const before = ledger();
  await enqueueManifest(connections, { batch, digest, isPart: isPart(selection) }, expand(manifest));
  await vi.waitFor(async () => {
    const counts = await connections.state.counts(batch);
    if (!counts || !hasEnded(counts) || counts.finishedVersion !== counts.version) throw new Error('not ended yet');
  });
  const after = ledger();
  const made = { made: after.made - before.made, credits: after.credits - before.credits };
  expect(made).toEqual({ made: planned, credits: costOf(together(found.left, found.waiting), prices).credits });
  return made.made;
}
