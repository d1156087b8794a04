import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { snapshotReader } from '../../src/status/snapshot.ts';
import { BATCH, openRig, prompts } from '../batch/rig.ts';

it('nothing is submitted while more images wait than can be archived before the first dies, and all come home', async () => {
  const ITEMS = 240;
  // The images live for 20 s, and two a second are stored: 40 of them.
  const rig = await openRig({ env: { FLUX_ORIGIN_TTL: '20s', FLUX_RATE_LIMIT: '20/1s' } });
  await rig.enqueue(await rig.manifest(prompts(ITEMS)));
  let slow = true;
  await rig.work({
    jobCheckMs: 200,
    concurrency: { archive: 1 },
    change: (ports) => ({
      ...ports,
      download: async (...args) => {
        if (slow) await sleep(500);
        return ports.download(...args);
      },
    }),
  });
  const read = snapshotReader(rig.connections);
  const kinds = async () => diagnose(await read(BATCH)).findings.map(({ kind }) => kind);
  await vi.waitFor(async () => expect(await kinds()).toContain('archive-behind'), { interval: 50 });
  expect((await rig.counts()).items.queued).toBeGreaterThan(0);
  slow = false;
  expect((await rig.ended()).items).toMatchObject({ archived: ITEMS });
  await vi.waitFor(async () => expect(await kinds()).not.toContain('archive-behind'));
  expect(rig.submits()).toBe(ITEMS);
});
