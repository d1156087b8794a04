import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { enqueueItems } from '../../src/batch/enqueue-items.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, FIRST_RUN, openRig, sentAgo } from '../stages/rig.ts';
import { items, statesOf, stream, takeIn, work } from './taken-in.ts';

describe('enqueuing a batch of which more is known than its manifest says', () => {
  test('of a part of it forgets nothing that is outside of the part', async () => {
    const rig = await openRig();
    const [hero, ...others] = items;
    if (!hero) throw new Error('Expected an item');
    await takeIn(rig, others);
    await work(rig);
    await rig.put({ ...sentAgo(hero, 1_000), state: 'failed', failure: { class: 'content-policy', message: 'no' } });
    await takeIn(rig);
    expect(await statesOf(rig)).toEqual(['failed', 'archived', 'archived']);
    const part = { batch: BATCH, digest: 'digest', archive: rig.archive.url, api: rig.simulator.url, isPart: true };
    await enqueueItems(part, stream(others.slice(1)), rig.enqueuePorts);
    expect(await statesOf(rig)).toEqual(['failed', 'archived', 'archived']);
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 3, former: 0 });
  });

  test('of a part of it, with an emptied Redis, knows the rest of the batch by its records', async () => {
    const rig = await openRig();
    const [hero, teapot, room] = items;
    if (!hero || !teapot || !room) throw new Error('Expected three items');
    await takeIn(rig, [room]);
    await work(rig);
    await rig.put({ ...sentAgo(hero, 1_000), state: 'failed', failure: { class: 'content-policy', message: 'no' } });
    await rig.emptyRedis();
    const part = { batch: BATCH, digest: 'digest', archive: rig.archive.url, api: rig.simulator.url, isPart: true };
    expect(await enqueueItems(part, stream([teapot]), rig.enqueuePorts)).toEqual({ items: 1, submits: 1, polls: 0 });
    expect(await statesOf(rig)).toEqual(['failed', 'queued', 'archived']);

    // Without the failed one in its manifest the batch still has it, as a former item.
    await rig.emptyRedis();
    await takeIn(rig, [teapot]);
    expect(await statesOf(rig)).toEqual(['failed', 'queued', undefined]);
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 2, former: 1 });
  });

  test('asks for a running task that the manifest has not any more, when Redis was emptied', async () => {
    const rig = await openRig();
    const [hero, ...others] = items;
    if (!hero) throw new Error('Expected an item');
    await takeIn(rig);
    await submit(hero, FIRST_RUN, rig.ports);
    await rig.emptyRedis();
    await takeIn(rig, others);
    await work(rig);
    expect(await statesOf(rig)).toEqual(['archived', 'archived', 'archived']);
    expect(rig.tasks()).toBe(3);
  });

  test('does not pay again for what had ended and is gone from the archive, unless told to', async () => {
    const rig = await openRig();
    await takeIn(rig);
    await work(rig);
    await rm(join(rig.archive.url, BATCH, 'items'), { recursive: true });
    expect(await takeIn(rig)).toMatchObject({ submits: 0 });
    expect(await rig.state.counts(BATCH)).toMatchObject({ items: { archived: 3 }, credits: 24 });

    const manifest = { batch: BATCH, digest: 'digest', archive: rig.archive.url, api: rig.simulator.url, remake: true };
    expect(await enqueueItems(manifest, stream(items), rig.enqueuePorts)).toMatchObject({ submits: 3 });
    await enqueueItems(manifest, stream(items), rig.enqueuePorts);
    await work(rig);
    expect(await rig.state.counts(BATCH)).toMatchObject({ items: { archived: 3 }, credits: 48 });
    expect(rig.tasks()).toBe(6);
  });

  test('leaves an item whose record cannot be read for failed, and takes it up when it is put right', async () => {
    const rig = await openRig();
    const [hero] = items;
    if (!hero) throw new Error('Expected an item');
    await takeIn(rig);
    await work(rig);
    const file = join(rig.archive.url, BATCH, 'items', `${hero.id}.json`);
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, 100));
    await rig.emptyRedis();
    const taken = await takeIn(rig);
    expect(taken).toMatchObject({ submits: 0, unreadable: [{ id: hero.id }] });
    expect(await statesOf(rig)).toEqual(['failed', 'archived', 'archived']);
    await writeFile(file, whole);
    await takeIn(rig);
    expect(await statesOf(rig)).toEqual(['archived', 'archived', 'archived']);
    expect(rig.tasks()).toBe(3);
  });
});
