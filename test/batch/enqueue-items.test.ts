import { describe, expect, test } from 'vitest';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, Crash, crashing, FIRST_RUN, itemNamed, openRig, sentAgo } from '../stages/rig.ts';
import { items, statesOf, takeIn, work } from './taken-in.ts';

describe('enqueuing a manifest', () => {
  test('queues every item once, and tells how many', async () => {
    const rig = await openRig();
    expect(await takeIn(rig)).toEqual({ items: 3, submits: 3, polls: 0 });
    expect([...rig.jobs.submits.keys()]).toEqual(items.map(({ id }) => id));
    expect(await rig.state.counts(BATCH)).toMatchObject({ sealed: true, total: 3, items: { queued: 3 } });
  });

  test('again changes nothing, before and after the batch has ended', async () => {
    const rig = await openRig();
    await takeIn(rig);
    await takeIn(rig);
    expect(rig.jobs.submits.size).toBe(3);
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 3, items: { queued: 3 } });
    await work(rig);
    expect(await takeIn(rig)).toEqual({ items: 3, submits: 0, polls: 0 });
    await work(rig);
    expect(rig.tasks()).toBe(3);
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 3, items: { archived: 3 } });
  });

  test('with an emptied Redis pays for nothing again and loses nothing, at every stage', async () => {
    const rig = await openRig();
    const [hero, teapot, room] = items;
    if (!hero || !teapot || !room) throw new Error('Expected three items');
    await takeIn(rig, [hero]);
    await work(rig);
    await takeIn(rig, [hero, teapot]);
    await submit(teapot, FIRST_RUN, rig.ports);
    await rig.emptyRedis();

    expect(await takeIn(rig)).toEqual({ items: 3, submits: 1, polls: 1 });
    expect(await statesOf(rig)).toEqual(['archived', 'submitted', 'queued']);
    await work(rig);
    expect(await statesOf(rig)).toEqual(['archived', 'archived', 'archived']);
    expect(rig.tasks()).toBe(3);
    expect(rig.ended).toContain(BATCH);
  });

  test('after a submit whose answer died with its process, and with Redis, holds the item', async () => {
    const rig = await openRig({ settings: { submitTimeoutMs: 0 } });
    const [hero] = items;
    if (!hero) throw new Error('Expected an item');
    await takeIn(rig, [hero]);
    const provider = crashing(rig.ports.provider, 'submit', 'after');
    await expect(submit(hero, FIRST_RUN, { ...rig.ports, provider })).rejects.toThrow(Crash);
    await rig.emptyRedis();
    await takeIn(rig, [hero]);
    await work(rig);
    expect(await rig.stateOf(hero)).toBe('held');
    expect(rig.tasks()).toBe(1);
  });

  test('makes a new item of a changed prompt, and keeps what the old one cost', async () => {
    const rig = await openRig();
    await takeIn(rig);
    await work(rig);
    const changed = itemNamed('hero', {
      id: 'hero-ba9876543210',
      request: { prompt: 'Another', model: 'flux-kontext-pro', outputFormat: 'png' },
    });
    const [hero, ...others] = items;
    if (!hero) throw new Error('Expected an item');
    expect(await takeIn(rig, [changed, ...others])).toEqual({ items: 3, submits: 1, polls: 0 });
    await work(rig);
    expect(rig.tasks()).toBe(4);
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 3, items: { archived: 3 } });
    expect(await rig.stateOf(hero)).toBeUndefined();
    expect(await rig.recordOf(hero)).toMatchObject({ state: 'archived' });

    await takeIn(rig);
    await work(rig);
    expect(rig.tasks()).toBe(4);
    expect(await rig.stateOf(hero)).toBe('archived');
  });

  test('lets an item that left the manifest go on while it lives', async () => {
    const rig = await openRig();
    await takeIn(rig);
    await takeIn(rig, items.slice(1));
    expect(await statesOf(rig)).toEqual(['queued', 'queued', 'queued']);
  });

  test('that dies anywhere and comes again comes to the same', async () => {
    for (const method of ['open', 'states', 'admit', 'seal'] as const) {
      for (const when of ['before', 'after'] as const) {
        const rig = await openRig();
        const intake = crashing(rig.state.intake, method, when);
        await expect(takeIn(rig, items, { ...rig.enqueuePorts, intake })).rejects.toThrow(Crash);
        await takeIn(rig);
        expect(rig.jobs.submits.size).toBe(3);
        expect(await rig.state.counts(BATCH)).toMatchObject({ sealed: true, total: 3, items: { queued: 3 } });
      }
    }
  });

  test('twice at once comes to the same', async () => {
    const rig = await openRig();
    await Promise.all([takeIn(rig), takeIn(rig)]);
    await work(rig);
    expect(rig.tasks()).toBe(3);
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 3, items: { archived: 3 } });
  });

  test('takes in more items than a chunk has', async () => {
    const rig = await openRig();
    const many = Array.from({ length: 2_300 }, (_, index) => itemNamed(`item-${index}`));
    expect(await takeIn(rig, many)).toMatchObject({ items: 2_300, submits: 2_300 });
    expect(await rig.state.counts(BATCH)).toMatchObject({ total: 2_300, items: { queued: 2_300 } });
  });
});

describe('an item that is held', () => {
  const [hero = itemNamed('hero')] = items;
  const held = {
    ...sentAgo(hero, 1_000),
    state: 'held' as const,
    failure: { class: 'unknown-outcome' as const, message: 'who knows' },
  };

  test('stays held', async () => {
    const rig = await openRig();
    await rig.put(held);
    expect(await takeIn(rig, [hero])).toEqual({ items: 1, submits: 0, polls: 0 });
    expect(await rig.stateOf(hero)).toBe('held');
    expect(rig.ended).toEqual([BATCH]);
  });

  test('is submitted again where the user chose so, and remembers its attempts', async () => {
    const rig = await openRig({ settings: { onUnknown: 'resubmit' } });
    await rig.put(held);
    await takeIn(rig, [hero]);
    await work(rig);
    expect(await rig.recordOf(hero)).toMatchObject({ state: 'archived', attempts: 2 });
    expect(rig.tasks()).toBe(1);
  });

  test('is not made unsent in the archive by an enqueue that comes too late', async () => {
    const rig = await openRig({ settings: { onUnknown: 'resubmit' } });
    await rig.put(held);
    await takeIn(rig, [hero], { ...rig.enqueuePorts, settings: { ...rig.enqueuePorts.settings, onUnknown: 'hold' } });
    expect(await rig.stateOf(hero)).toBe('held');
    const read: typeof rig.records.read = async (...args) => {
      const record = await rig.records.read(...args);
      // Meanwhile another enqueue has reopened it and a worker has submitted it.
      if (rig.tasks() === 0) {
        await takeIn(rig, [hero]);
        rig.jobs.submits.clear();
        await submit(hero, FIRST_RUN, rig.ports);
      }
      return record;
    };
    const records = { ...rig.records, read };
    await takeIn(rig, [hero], { ...rig.enqueuePorts, records });
    expect(await rig.recordOf(hero)).toMatchObject({ state: 'submitted' });
    await rig.emptyRedis();
    await takeIn(rig, [hero]);
    await work(rig);
    expect(rig.tasks()).toBe(1);
  });
});
