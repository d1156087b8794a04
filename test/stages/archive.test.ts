import { describe, expect, test } from 'vitest';
import { verifyImage } from '../../src/archive/image.ts';
import type { Finished } from '../../src/items/item.ts';
import type { FaultName } from '../../src/simulator/faults.ts';
import { archive } from '../../src/stages/archive.ts';
import { finishedRig, item, told } from './finished.ts';
import { BATCH, Crash, crashing, FIRST_RUN } from './rig.ts';

describe('archiving', () => {
  test('puts image and thumbnail, then the record with all that is known of it', async () => {
    const { rig, finished } = await finishedRig();
    await rig.state.intake.seal(BATCH);
    expect(await archive(finished, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const record = await rig.recordOf(item);
    if (record?.state !== 'archived') throw new Error('Expected an archived record');
    expect(record).toMatchObject({ taskId: finished.taskId, source: 'origin', contentType: 'image/png', attempts: 1 });
    expect((await rig.archive.read(record.image))?.length).toBe(record.bytes);
    expect((await rig.archive.read(record.thumb))?.length).toBeGreaterThan(0);
    expect(Object.keys(record.timings)).toEqual(['queued', 'submitted', 'completed', 'discovered', 'archived']);
    expect(await rig.state.counts(BATCH)).toMatchObject({ bytes: record.bytes, items: { archived: 1 } });
    expect(rig.ended).toEqual([BATCH]);
  });

  test('records no URL that opens anything', async () => {
    const { rig, finished } = await finishedRig();
    await archive(finished, FIRST_RUN, rig.ports);
    expect(JSON.stringify(await rig.recordOf(item))).not.toContain('http');
  });

  test('with `embed` stores an image that says what it is, and the sums of that', async () => {
    const { rig, finished } = await finishedRig({ settings: { embed: true } });
    await archive(finished, FIRST_RUN, rig.ports);
    const record = await rig.recordOf(item);
    if (record?.state !== 'archived') throw new Error('Expected an archived record');
    const stored = (await rig.archive.read(record.image)) ?? Buffer.alloc(0);
    expect(stored.toString()).toContain(`&quot;taskId&quot;:&quot;${finished.taskId}&quot;`);
    expect(await verifyImage(stored)).toMatchObject({
      ok: true,
      image: { sha256: record.sha256, bytes: record.bytes },
    });
  });

  test('of an archived item fetches nothing', async () => {
    const { rig, finished } = await finishedRig();
    await archive(finished, FIRST_RUN, rig.ports);
    const { downloads } = rig.simulator.ledger();
    expect(await archive(finished, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.simulator.ledger().downloads).toEqual(downloads);
  });

  test.each(['update', 'move'] as const)('that dies at any %s is done by the next run', async (method) => {
    for (const when of ['before', 'after'] as const) {
      const { rig, finished } = await finishedRig();
      const ports =
        method === 'update'
          ? { ...rig.ports, records: crashing(rig.records, 'update', when) }
          : { ...rig.ports, state: crashing(rig.state, 'move', when) };
      await expect(archive(finished, FIRST_RUN, ports)).rejects.toThrow(Crash);
      expect(await archive(finished, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
      expect(await rig.recordOf(item)).toMatchObject({ state: 'archived' });
      expect(await rig.state.counts(BATCH)).toMatchObject({ items: { archived: 1 } });
    }
  });
});

describe('the source', () => {
  test('falls to the stored copy when the original is gone', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('origin-dead');
    await archive(finished, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'archived', source: 'stored' });
  });

  test('falls to a temporary link when the stored copy is not served either', async () => {
    const { rig, finished } = await finishedRig();
    const download: typeof rig.ports.download = async (url, options) =>
      url === finished.originUrl || url === finished.storedUrl
        ? { kind: 'broken', message: 'HTTP 500' }
        : rig.ports.download(url, options);
    await archive(finished, FIRST_RUN, { ...rig.ports, download });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'archived', source: 'link' });
    expect(rig.simulator.ledger().links).toBe(1);
  });

  test('is not the original once that is dead by our reading', async () => {
    const { rig, finished } = await finishedRig();
    await archive({ ...finished, originDiesAt: Date.now() - 1 }, FIRST_RUN, rig.ports);
    expect(rig.simulator.ledger().downloads).toMatchObject({ origin: 0, stored: 1 });
  });
});

describe('a body that is not the image', () => {
  const spoiled: FaultName[] = ['image-cut', 'image-short', 'image-html', 'image-bomb', 'image-empty'];

  test.each(spoiled)('(%s) is fetched again, never stored', async (name) => {
    const { rig, finished, fault } = await finishedRig();
    fault(name);
    expect(await archive(finished, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
    fault();
    await archive(finished, FIRST_RUN, rig.ports);
    const record = await rig.recordOf(item);
    expect(record).toMatchObject({ state: 'archived', contentType: 'image/png' });
    expect(rig.tasks()).toBe(1);
  });

  test('thirty times ends the item, whose task can still be asked', async () => {
    const { rig, finished, fault } = await finishedRig();
    fault('image-html');
    expect(await archive(finished, told({ invalidRounds: 28 }), rig.ports)).toMatchObject({ kind: 'later' });
    expect(await archive(finished, told({ invalidRounds: 29 }), rig.ports)).toEqual({ kind: 'done' });
    const record = await rig.recordOf(item);
    expect(record).toMatchObject({ state: 'failed', taskId: finished.taskId, failure: { class: 'invalid-image' } });
  });

  test('is no verdict while another source is out of reach', async () => {
    const { rig, finished } = await finishedRig();
    const download: typeof rig.ports.download = async (url) =>
      url === finished.originUrl
        ? { kind: 'body', body: Buffer.from('<html>'), contentType: 'text/html' }
        : { kind: 'broken', message: 'HTTP 500' };
    const outcome = await archive(finished, told({ invalidRounds: 29 }), { ...rig.ports, download });
    expect(outcome).toMatchObject({ kind: 'later', remember: { invalidRounds: 29 } });
  });

  test('from one source is had from the next', async () => {
    const { rig, finished } = await finishedRig();
    rig.simulator.setFaults([{ name: 'image-html', times: 1 }]);
    await archive(finished, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'archived', source: 'stored' });
  });
});

test('an image of another task than the record’s is archived, and neither task is forgotten', async () => {
  const { rig, finished } = await finishedRig();
  const older: Finished = { ...finished, taskId: 'task-older' };
  await archive(older, FIRST_RUN, rig.ports);
  const record = await rig.recordOf(item);
  expect(record).toMatchObject({ state: 'archived', taskId: 'task-older', earlierTaskIds: [finished.taskId] });
});
