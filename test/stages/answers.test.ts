import { expect, test } from 'vitest';
import type { FaultName } from '../../src/simulator/faults.ts';
import { poll } from '../../src/stages/poll.ts';
import { submit } from '../../src/stages/submit.ts';
import { finishedRig, item as lighthouse, told } from './finished.ts';
import { FIRST_RUN, itemNamed, openRig } from './rig.ts';

const item = itemNamed('harbour');
const withFault = (name: FaultName) => ({ simulator: { faults: [{ name, times: 1 }] } });

test.each(['id-snake-case', 'id-number', 'id-at-top', 'code-text', 'code-zero'] as const)(
  'a submit answered with %s is recorded with the task that the provider has, which a poll knows',
  async (name) => {
    const rig = await openRig(withFault(name));
    await rig.admit(item);
    await submit(item, FIRST_RUN, rig.ports);
    const [task] = rig.simulator.ledger().taskLog;
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task?.taskId });
    const job = rig.jobs.polls.get(item.id)?.data;
    if (!job || !task) throw new Error('Expected a poll job');
    await rig.untilEnded(task.taskId);
    await poll(job, FIRST_RUN, rig.ports);
    expect(rig.jobs.archives.get(item.id)?.data.taskId).toBe(task.taskId);
  },
);

test('a submit whose answer is not understood is held with the beginning of that answer', async () => {
  const rig = await openRig(withFault('other-answer'));
  await rig.admit(item);
  await submit(item, FIRST_RUN, rig.ports);
  const [task] = rig.simulator.ledger().taskLog;
  expect(await rig.recordOf(item)).toMatchObject({
    state: 'held',
    failure: { class: 'unknown-outcome', message: expect.stringContaining(`"reference":"${task?.taskId}"`) },
  });
});

test('of two items that are given one task id the second is held, and both tasks are accounted for', async () => {
  const rig = await openRig();
  const second = itemNamed('second');
  await rig.admit(item);
  await rig.admit(second);
  await submit(item, FIRST_RUN, rig.ports);
  rig.simulator.setFaults([{ name: 'repeated-task-id', times: 1 }]);
  await submit(second, FIRST_RUN, rig.ports);

  const { taskLog } = rig.simulator.ledger();
  expect(taskLog).toHaveLength(2);
  expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: taskLog[0]?.taskId });
  const held = await rig.recordOf(second);
  expect(held).toMatchObject({
    state: 'held',
    attempts: 1,
    failure: { class: 'unknown-outcome', message: expect.stringContaining(`which is that of ${item.id}`) },
  });
  expect(held).toMatchObject({ othersTaskIds: [taskLog[0]?.taskId] });
  expect(held).not.toHaveProperty('taskId');
  expect([...rig.jobs.polls.keys()]).toEqual([item.id]);
});

test('a task id is recorded before Redis is asked whose it is', async () => {
  const rig = await openRig();
  await rig.admit(item);
  const recorded: unknown[] = [];
  const claimTask: typeof rig.state.claimTask = async (...claim) => {
    recorded.push((await rig.recordOf(item))?.state);
    return rig.state.claimTask(...claim);
  };
  await submit(item, FIRST_RUN, { ...rig.ports, state: { ...rig.state, claimTask } });
  expect(recorded).toEqual(['submitted']);
});

test('a task id is recorded though Redis does not say whose it is', async () => {
  const rig = await openRig();
  await rig.admit(item);
  const state = { ...rig.state, claimTask: () => new Promise<string>(() => {}) };
  await submit(item, FIRST_RUN, { ...rig.ports, state });
  expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
});

test('a success that names its image in another way is said to be one', async () => {
  const { rig, finished } = await finishedRig();
  rig.simulator.setFaults([{ name: 'other-url-names', share: 1 }]);
  const task = { ...finished, giveUpAt: Date.now() + 600_000 };
  expect(await poll(task, FIRST_RUN, rig.ports)).toMatchObject({
    kind: 'later',
    remember: { notUnderstood: true },
  });
  await poll({ ...task, giveUpAt: Date.now() - 1 }, told({ notUnderstood: true }), rig.ports);
  expect(await rig.recordOf(lighthouse)).toMatchObject({
    state: 'held',
    failure: {
      class: 'poll-timeout',
      message: expect.stringMatching(/^The task has succeeded, and its answer .*"pictures":/),
    },
  });
});

test('a task id that no encoder takes is asked for all the same, and not known', async () => {
  const { rig } = await finishedRig();
  expect(await rig.ports.provider.poll('\ud800x')).toMatchObject({ kind: 'not-found' });
});
