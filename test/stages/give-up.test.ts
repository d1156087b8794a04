import { expect, test } from 'vitest';
import { FluxError } from '../../src/errors.ts';
import type { ItemState } from '../../src/items/item-state.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { giveUp } from '../../src/stages/give-up.ts';
import { commonOf, itemNamed, openRig, sentAgo } from './rig.ts';

const item = itemNamed('lighthouse');
const bug = new Error('a bug');
const task = { ...item, taskId: 'task-1', submittedAt: Date.now(), giveUpAt: Date.now() + 1_000, recorded: true };
const submitted: ItemRecord = { ...sentAgo(item, 1_000), state: 'submitted', taskId: 'task-1' };

type Case = {
  what: string;
  data: Parameters<typeof giveUp>[0];
  state: ItemState;
  record: ItemRecord | undefined;
  end: { state: string; failure?: object; taskId?: string };
};

const CASES: Case[] = [
  {
    what: 'an item that was never sent',
    ...{ data: item, state: 'queued', record: undefined },
    end: { state: 'failed', failure: { class: 'internal' } },
  },
  {
    what: 'an item whose claim was given back',
    ...{ data: item, state: 'submitting', record: { ...commonOf(item), state: 'queued' } },
    end: { state: 'failed', failure: { class: 'internal' } },
  },
  {
    what: 'a claim, which may have been charged and is counted so',
    ...{ data: item, state: 'submitting', record: { ...sentAgo(item, 1_000), state: 'claimed' } },
    end: { state: 'held', failure: { class: 'unknown-outcome' } },
  },
  {
    what: 'a task',
    ...{ data: task, state: 'submitted', record: submitted },
    end: { state: 'held', failure: { class: 'internal' }, taskId: 'task-1' },
  },
  {
    what: 'a task that the archive does not know yet',
    ...{
      data: { ...task, recorded: false },
      state: 'submitted',
      record: { ...sentAgo(item, 1_000), state: 'claimed' },
    },
    end: { state: 'held', failure: { class: 'internal' }, taskId: 'task-1' },
  },
  {
    what: 'a finished task',
    ...{ data: task, state: 'finished', record: submitted },
    end: { state: 'held', failure: { class: 'internal' }, taskId: 'task-1' },
  },
];

test.each(CASES)('$what is set aside as what it is', async ({ data, state, record, end }) => {
  const rig = await openRig();
  await rig.admit(item, state);
  if (record) await rig.put(record);
  await giveUp(data, bug, 'submit', rig.ports);
  expect(await rig.recordOf(item)).toMatchObject(end);
  expect(await rig.stateOf(item)).toBe(end.state);
});

test('an item that has ended keeps the record of its end', async () => {
  const rig = await openRig();
  await rig.admit(item, 'submitted');
  const held: ItemRecord = { ...submitted, state: 'held', failure: { class: 'poll-timeout', message: 'late' } };
  await rig.put(held);
  await giveUp(task, bug, 'poll', rig.ports);
  expect(await rig.recordOf(item)).toEqual(held);
  expect(await rig.stateOf(item)).toBe('held');
});

test('a task that another has replaced leaves the item to that one', async () => {
  const rig = await openRig();
  await rig.admit(item, 'submitted');
  const newer: ItemRecord = { ...submitted, taskId: 'task-2', earlierTaskIds: ['task-1'] };
  await rig.put(newer);
  await giveUp(task, bug, 'poll', rig.ports);
  expect(await rig.recordOf(item)).toEqual(newer);
  expect(await rig.stateOf(item)).toBe('submitted');
});

test('an archive that refuses the record keeps the item live, for the job to come again', async () => {
  const rig = await openRig();
  await rig.admit(item, 'submitted');
  await rig.put(submitted);
  const records = { ...rig.records, update: () => Promise.reject(new FluxError('archive-denied', 'no')) };
  await expect(giveUp(task, bug, 'poll', { ...rig.ports, records })).rejects.toMatchObject({ code: 'archive-denied' });
  expect(await rig.stateOf(item)).toBe('submitted');
});
