import { expect, test } from 'vitest';
import { archive } from '../../src/stages/archive.ts';
import { takeCallback } from '../../src/stages/callback.ts';
import { poll } from '../../src/stages/poll.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, commonOf, FIRST_RUN, itemNamed, openRig } from './rig.ts';

const item = itemNamed('lighthouse');

/** The answer to the first submit is lost, and the item waits to be submitted again. */
async function unanswered() {
  const rig = await openRig({ settings: { onUnknown: 'resubmit' } });
  await rig.admit(item);
  rig.simulator.setFaults([{ name: 'reset-after-accept', times: 1 }]);
  await submit(item, FIRST_RUN, rig.ports);
  rig.simulator.setFaults([]);
  const [task] = rig.simulator.ledger().taskLog;
  if (!task) throw new Error('Expected a task');
  expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', unknownAttempts: 1 });
  const state = { ...rig.state, stateOf: () => rig.stateOf(item) };
  const ports = { ...rig.ports, state, pollNow: async () => 'absent' as const, markCalled: async () => {} };
  const call = () => takeCallback(item, { taskId: task.taskId }, ports);
  return { rig, task, call };
}

type Unanswered = Awaited<ReturnType<typeof unanswered>>;

/** Its image is had, and the one task is paid for. */
async function expectImage({ rig, task }: Unanswered) {
  await rig.untilEnded(task.taskId);
  const job = rig.jobs.polls.get(item.id)?.data;
  if (!job) throw new Error('Expected a poll job');
  await poll(job, FIRST_RUN, rig.ports);
  const finished = rig.jobs.archives.get(item.id)?.data;
  if (!finished) throw new Error('Expected an archive job');
  await archive(finished, FIRST_RUN, rig.ports);
  const record = await rig.recordOf(item);
  expect(record).toMatchObject({ state: 'archived', taskId: task.taskId });
  expect(record).not.toHaveProperty('unknownAttempts');
  expect(await rig.stateOf(item)).toBe('archived');
  expect(rig.tasks()).toBe(1);
  expect(await rig.state.counts(BATCH)).toMatchObject({ credits: 8, unsettled: 0 });
}

test('the task of an unanswered submit is the item’s also when the item was cancelled before it was submitted again', async () => {
  const made = await unanswered();
  const { rig, call } = made;
  expect(await rig.state.cancelQueued(BATCH)).toBe(1);
  expect(await call()).toBe('brought-back');
  expect(await rig.stateOf(item)).toBe('submitted');
  await expectImage(made);
});

test('so it is when the next submit of the item was refused', async () => {
  const made = await unanswered();
  const { rig, call } = made;
  const refused = { kind: 'refused', refusal: 'content-policy', code: 400, message: 'no' } as const;
  const provider = { ...rig.ports.provider, submit: async () => refused };
  await submit(item, FIRST_RUN, { ...rig.ports, provider });
  expect(await rig.recordOf(item)).toMatchObject({ state: 'failed', attempts: 2, unknownAttempts: 1 });
  expect(await call()).toBe('brought-back');
  await expectImage(made);
});

test('an item that a person has dropped, or whose task has failed, stays as it is', async () => {
  const { rig, call } = await unanswered();
  const common = commonOf(item, { attempts: 1, unknownAttempts: 1 });
  const dropped = { ...common, state: 'failed', failure: { class: 'cancelled', message: 'Dropped' } } as const;
  const itself = { class: 'generation-failed', message: 'no' } as const;
  const failed = { ...common, taskId: 'a', state: 'failed', failure: itself } as const;
  await rig.state.move(item, 'failed');
  for (const record of [dropped, failed]) {
    await rig.put(record);
    expect(await call()).toBe('ignored');
    expect(await rig.recordOf(item)).toEqual(record);
  }
});
