import { describe, expect, test } from 'vitest';
import { rescuedItems, rescueStep, takeUp } from '../../src/batch/rescue.ts';
import { notesOf } from '../../src/items/images.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { BATCH, openRig, prompts, type Rig } from './rig.ts';

const DAY_MS = 86_400_000;
const SUBMITTED = Date.parse('2026-01-01T00:00:00.000Z');

describe('what can be rescued', () => {
  const common: Omit<Extract<ItemRecord, { state: 'queued' }>, 'state'> = {
    version: 1,
    id: 'item-0123456789ab',
    name: 'item',
    batch: BATCH,
    variant: 1,
    priority: 0,
    variables: {},
    request: { prompt: 'A lighthouse', model: 'flux-kontext-pro', outputFormat: 'png' },
    attempts: 1,
    earlierTaskIds: [],
    timings: { queued: new Date(SUBMITTED).toISOString(), submitted: new Date(SUBMITTED).toISOString() },
  };
  const failed = (why: Extract<ItemRecord, { state: 'failed' }>['failure']['class'], taskId?: string): ItemRecord => ({
    ...common,
    ...(taskId === undefined ? {} : { taskId }),
    state: 'failed',
    failure: { class: why, message: '' },
  });
  const held = (why: 'unknown-outcome' | 'poll-timeout' | 'unknown-task', taskId?: string): ItemRecord => ({
    ...common,
    ...(taskId === undefined ? {} : { taskId }),
    state: 'held',
    failure: { class: why, message: '' },
  });
  const step = (record: ItemRecord, days = 1) => rescueStep(record, SUBMITTED + days * DAY_MS, 14 * DAY_MS);

  test('is every paid task without an image, while the provider keeps it', () => {
    const submitted: ItemRecord = { ...common, state: 'submitted', taskId: 'a' };
    for (const record of [
      submitted,
      ...(['expired', 'invalid-image', 'unreachable', 'internal', 'poll-timeout'] as const).map((why) =>
        failed(why, 'a'),
      ),
      held('poll-timeout', 'a'),
      held('unknown-task', 'a'),
    ]) {
      expect(step(record)).toBe('ask');
      expect(step(record, 13.9)).toBe('ask');
      expect(step(record, 14)).toBe('too-old');
    }
  });

  test('is nothing that was not submitted, or that the provider has ended itself', () => {
    for (const record of [
      { ...common, state: 'queued' } satisfies ItemRecord,
      failed('content-policy', 'a'),
      failed('generation-failed', 'a'),
      failed('invalid-parameters'),
      failed('unreachable'),
    ]) {
      expect(step(record)).toBe('nothing');
      expect(step(record, 20)).toBe('nothing');
    }
  });

  test('is what an archived item lacks of its task’s images, unless its answer never named it', () => {
    const image = { image: 'i.png', thumb: 't.webp', bytes: 1, width: 1, height: 1, contentType: 'image/png' };
    const archived = (...lost: readonly ('expired' | 'generation-failed')[]): ItemRecord => ({
      ...{ ...common, ...image, sha256: 'sum', source: 'stored', state: 'archived', taskId: 'a' },
      ...(lost.length > 0 && {
        lost: lost.map((why, index) => ({ number: index + 2, failure: { class: why, message: '' } })),
      }),
    });
    expect([step(archived()), step(archived('generation-failed'))]).toEqual(['nothing', 'nothing']);
    expect(step(archived('generation-failed', 'expired'))).toBe('ask-for-lost');
    expect([step(archived('expired'), 13.9), step(archived('expired'), 14)]).toEqual(['ask-for-lost', 'too-old']);
  });

  test('is no submit without a task id, but such are named', () => {
    expect(step({ ...common, state: 'claimed' })).toBe('no-task');
    expect(step(held('unknown-outcome'))).toBe('no-task');
  });
});

/** A batch that was submitted, of which nobody has polled, and whose Redis is empty now. */
async function abandoned(rig: Rig, count: number): Promise<void> {
  await rig.enqueue(await rig.manifest(prompts(count)));
  const fleet = await rig.work({ stages: ['submit'] });
  await rig.until(({ items }) => items.queued + items.submitting === 0);
  await fleet.drain(20_000);
  await rig.flush();
}

describe('rescue', () => {
  test('archives what was submitted from the records alone, and submits nothing', async () => {
    const rig = await openRig();
    await abandoned(rig, 8);
    const { code, stdout, stderr } = await rig.run(['rescue', BATCH, '--json']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toEqual({ batch: BATCH, asked: 8, archived: 8, others: [], tooOld: [], noTask: [] });
    expect(rig.submits()).toBe(8);
    const results = await rig.run(['results', BATCH]);
    expect(
      results.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).state),
    ).toEqual(Array(8).fill('archived'));

    const again = await rig.run(['rescue', BATCH]);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('0 paid tasks to ask for');
  });

  test('tells what it could not have, exits with 1, and pays for no generation anew', async () => {
    const rig = await openRig({
      simulator: { faults: [{ name: 'flag-3', times: 1 }] },
      env: { GENERATION_RETRIES: '3' },
    });
    await abandoned(rig, 4);
    const { code, stderr } = await rig.run(['rescue', BATCH]);
    expect(code).toBe(1);
    expect(stderr).toContain('3 of 4 images rescued');
    expect(stderr).toMatch(/failed {5}item-\d {2}generation-failed/);
    expect(rig.submits()).toBe(4);
  });

  test('takes up what had failed or been held though it was paid for, and leaves what is queued', async () => {
    const rig = await openRig({
      simulator: { faults: [{ name: 'image-html', share: 1 }] },
      env: { BUDGET_CREDITS: '32' },
    });
    const { records, state } = rig.connections;
    await rig.enqueue(await rig.manifest(prompts(6)), 32);
    const fleet = await rig.work();
    await rig.until(({ items, overBudget }) => items.finished === 4 && overBudget.items === 2);
    await fleet.drain(20_000);
    for await (const id of records.list(BATCH)) {
      const record = await records.read(BATCH, id);
      if (record?.state !== 'submitted') continue;
      await records.write({ ...record, state: 'failed', failure: { class: 'invalid-image', message: 'HTML' } });
      await state.move({ batch: BATCH, id }, 'failed');
    }
    rig.simulator.setFaults([]);
    expect((await rig.run(['rescue', BATCH])).code).toBe(0);
    expect((await rig.counts()).items).toMatchObject({ archived: 4, queued: 2 });
    expect(rig.submits()).toBe(4);
  });

  test('names submits of which nobody knows, and leaves them to a person', async () => {
    const rig = await openRig({ simulator: { faults: [{ name: 'reset-after-accept', times: 1 }] } });
    await abandoned(rig, 3);
    const { asked, noTask } = await takeUp(rig.connections, BATCH);
    expect([asked.length, noTask.length]).toEqual([2, 1]);
    await rig.work({ stages: ['poll', 'archive'] });
    await rig.until(({ items }) => items.archived === 2);
    const states = (await rescuedItems(rig.connections, BATCH, asked)).map((item) => item.state);
    expect(states).toEqual(['archived', 'archived']);
    expect((await rig.counts()).items).toMatchObject({ held: 1 });
    // The credits that Redis had forgotten count again.
    expect(await rig.counts()).toMatchObject({ credits: 16, unsettled: 8 });
  });

  test('asks once more for images that archived items lack, by its own task', async () => {
    const rig = await openRig({ env: { FLUX_PRICES: '' } });
    const model = 'bytedance/seedream-v4-text-to-image';
    const job = { id: 'two', prompt: 'A kite', provider: 'kie-jobs', model, aspectRatio: '1:1' };
    await rig.enqueue(await rig.manifestOf([{ ...job, parameters: { max_images: 2 } }]));
    const fleet = await rig.work();
    await rig.ended();
    await fleet.drain(20_000);
    const { records, state } = rig.connections;
    const ids: string[] = [];
    for await (const id of records.list(BATCH)) ids.push(id);
    const [id = ''] = ids;
    const made = await records.read(BATCH, id);
    if (made?.state !== 'archived' || made.more?.length !== 1) throw new Error('Expected two images');
    // As where the second of them could not be had.
    const { more: _, ...rest } = made;
    const lost = [{ number: 2, failure: { class: 'expired' as const, message: 'gone' } }];
    await records.write({ ...rest, lost });
    await state.tellNote({ batch: BATCH, id }, notesOf({ ...rest, lost }));
    const { code, stdout, stderr } = await rig.run(['rescue', BATCH, '--json']);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('1 had after all') });
    expect(JSON.parse(stdout)).toMatchObject({ asked: 0, lost: [{ id, found: 1, left: 0 }] });
    expect(await records.read(BATCH, id)).toEqual(made);
    expect(await state.notes(BATCH)).toEqual(new Map());
    const [row = ''] = (await rig.run(['results', BATCH])).stdout.trim().split('\n');
    expect(JSON.parse(row)).toMatchObject({ state: 'archived', imageNote: null, more: [{ number: 2 }] });
    expect(rig.submits()).toBe(1);
    const again = await rig.run(['rescue', BATCH, '--json']);
    expect(JSON.parse(again.stdout)).not.toHaveProperty('lost');
  });

  test('of a batch that the archive does not have is a mistake', async () => {
    const rig = await openRig();
    expect((await rig.run(['rescue', 'autumn'])).code).toBe(2);
  });
});
