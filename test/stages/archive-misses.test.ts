import { describe, expect, test } from 'vitest';
import type { Finished } from '../../src/items/item.ts';
import { archive } from '../../src/stages/archive.ts';
import { finishedRig, item, runs, told } from './finished.ts';
import { FIRST_RUN } from './rig.ts';

describe('an image that is gone', () => {
  test('from every source is asked for again, and expired only when it stays so', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead', 'stored-dead');
    const first = await archive(finished, FIRST_RUN, rig.ports);
    expect(first).toMatchObject({ kind: 'later', remember: { goneRounds: 1 } });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
    expect(await runs(finished, rig.ports, 9)).toBe(3);
    const record = await rig.recordOf(item);
    expect(record).toMatchObject({ state: 'failed', taskId: finished.taskId, failure: { class: 'expired' } });
    expect(await rig.stateOf(item)).toBe('failed');
  });

  test('by one answer is not expired, however often other things have put it off', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead', 'stored-dead');
    expect(await archive(finished, told({ missedRounds: 49 }), rig.ports)).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  });

  test('by the word of the stored copy alone, where the API has no links to give', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead', 'stored-dead');
    const refused = { kind: 'refused', refusal: 'not-found', code: 404, message: 'no such path' } as const;
    const provider = { ...rig.ports.provider, link: async () => refused };
    expect(await runs(finished, { ...rig.ports, provider }, 9)).toBe(3);
    expect(await rig.recordOf(item)).toMatchObject({ failure: { class: 'expired' } });
  });

  test('is asked for again after seconds, then after half a minute: a gateway may answer 404 for all', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead', 'stored-dead');
    for (const [goneRounds, leastMs] of [
      [0, 3_000],
      [1, 20_000],
    ] as const) {
      const outcome = await archive(finished, told({ goneRounds }), rig.ports);
      expect(outcome.kind === 'later' ? outcome.atMs - Date.now() : 0).toBeGreaterThan(leastMs);
    }
  });

  test('past the last deadline is expired at once', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead', 'stored-dead');
    await archive({ ...finished, storedDiesAt: Date.now() - 1 }, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ failure: { class: 'expired' } });
  });
});

describe('an image whose sources are out of reach', () => {
  test('is waited for until its last deadline, also where one of them says that it is gone', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead', 'image-500');
    expect(await runs(finished, rig.ports, 40)).toBe(40);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
    await archive({ ...finished, storedDiesAt: Date.now() - 1 }, told({ missedRounds: 40 }), rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'failed', failure: { class: 'unreachable' } });
  });

  test('is asked for ever more rarely, more often where a URL is about to die, and once more at the last deadline', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('image-500');
    const waitOf = async (changes: Partial<Finished>) => {
      const outcome = await archive({ ...finished, ...changes }, told({ missedRounds: 30 }), rig.ports);
      return outcome.kind === 'later' ? outcome.atMs - Date.now() : 0;
    };
    const now = Date.now();
    const wait = await waitOf({ originDiesAt: now + 600_000 });
    expect(wait).toBeGreaterThan(100_000);
    expect(wait).toBeLessThanOrEqual(150_000);
    expect(await waitOf({ originDiesAt: now + 20_000 })).toBeLessThanOrEqual(5_000);
    expect(await waitOf({ originDiesAt: now - 1, storedDiesAt: now + 500 })).toBeLessThanOrEqual(500);
  });

  test('is told to the fleet, and so is that it can be had again', async () => {
    const { rig, finished, fault } = await finishedRig();
    const said: string[] = [];
    const faults = { note: (kind: string) => said.push(kind), clear: (kind: string) => said.push(`no ${kind}`) };
    const ports = { ...rig.ports, faults };
    fault('image-500');
    await archive(finished, FIRST_RUN, ports);
    fault();
    await archive(finished, FIRST_RUN, ports);
    expect(said).toEqual(['images-unreachable', 'no images-unreachable']);
  });
});
