import { describe, expect, test } from 'vitest';
import type { Item } from '../../src/items/item.ts';
import { archive } from '../../src/stages/archive.ts';
import { takeCallback } from '../../src/stages/callback.ts';
import { poll } from '../../src/stages/poll.ts';
import type { StageSettings } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { FIRST_RUN, itemNamed, openRig } from './rig.ts';

const named = (name: string, enableTranslation = false) => {
  const item = itemNamed(name);
  return { ...item, request: { ...item.request, enableTranslation } };
};
const first = named('harbour');

/** The answer to the first submit is lost, and the second is answered with the task of the first. */
async function mixedUp(second: Item, settings: Partial<StageSettings> = {}) {
  const rig = await openRig({ settings });
  for (const item of [first, second]) await rig.admit(item);
  rig.simulator.setFaults([{ name: 'reset-after-accept', times: 1 }]);
  await submit(first, FIRST_RUN, { ...rig.ports, settings: { ...rig.ports.settings, onUnknown: 'hold' } });
  rig.simulator.setFaults([{ name: 'repeated-task-id', times: 1 }]);
  await submit(second, FIRST_RUN, rig.ports);
  rig.simulator.setFaults([]);
  const [others, own] = rig.simulator.ledger().taskLog.map(({ taskId }) => taskId);
  const job = rig.jobs.polls.get(second.id)?.data;
  if (!job || others === undefined || own === undefined) throw new Error('Expected two tasks and a poll job');
  expect(job.taskId).toBe(others);
  rig.jobs.polls.delete(second.id);
  await rig.untilEnded(others);
  return { rig, job, others, own };
}

describe('an item that was told the task of another, whose answer was lost', () => {
  const second = named('second');

  test('is held when the answer to a poll repeats another prompt, and neither image is stored as its own', async () => {
    const { rig, job, others } = await mixedUp(second);
    expect(await poll(job, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const held = await rig.recordOf(second);
    expect(held).toMatchObject({
      state: 'held',
      attempts: 1,
      earlierTaskIds: [],
      othersTaskIds: [others],
      failure: {
        class: 'unknown-outcome',
        message: expect.stringContaining(`${others}, which was started for another`),
      },
    });
    expect(held).not.toHaveProperty('taskId');
    expect(await rig.stateOf(second)).toBe('held');
    expect(rig.jobs.archives.size).toBe(0);
    // As of a run that is repeated since its process ended.
    expect(await poll(job, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(second)).toEqual(held);
  });

  test('gets its own task back by a callback, and not that of the other', async () => {
    const { rig, job, others, own } = await mixedUp(second);
    await poll(job, FIRST_RUN, rig.ports);
    const state = { ...rig.state, stateOf: () => rig.stateOf(second) };
    const ports = { ...rig.ports, state, pollNow: async () => 'absent' as const, markCalled: async () => {} };
    expect(await takeCallback(second, { taskId: others }, ports)).toBe('ignored');
    expect(await takeCallback(second, { taskId: own }, ports)).toBe('brought-back');
    await rig.untilEnded(own);
    const again = rig.jobs.polls.get(second.id)?.data;
    if (!again) throw new Error('Expected a poll job');
    await poll(again, FIRST_RUN, rig.ports);
    const finished = rig.jobs.archives.get(second.id)?.data;
    if (!finished) throw new Error('Expected an archive job');
    await archive(finished, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(second)).toMatchObject({ state: 'archived', taskId: own, othersTaskIds: [others] });
  });

  test('does not fail by what became of that task', async () => {
    const { rig, job } = await mixedUp(second);
    const provider = {
      ...rig.ports.provider,
      poll: async () =>
        ({
          kind: 'failed',
          reason: 'generation-failed',
          charged: 'unknown',
          message: 'failed',
          prompt: 'A harbour',
        }) as const,
    };
    await poll(job, FIRST_RUN, { ...rig.ports, provider });
    expect(await rig.recordOf(second)).toMatchObject({ state: 'held', failure: { class: 'unknown-outcome' } });
  });

  test('is submitted again where a person lets unknown outcomes be', async () => {
    const { rig, job, others } = await mixedUp(second, { onUnknown: 'resubmit' });
    rig.jobs.submits.delete(second.id);
    for (let run = 1; run <= 2; run++) await poll(job, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(second)).toMatchObject({ state: 'queued', unknownAttempts: 1, othersTaskIds: [others] });
    expect(await rig.stateOf(second)).toBe('queued');
    expect(rig.jobs.submits.get(second.id)?.data).toEqual(second);
  });

  test('goes on where the prompt may have been translated: its words are no proof then', async () => {
    const { rig, job } = await mixedUp(named('second', true));
    await poll(job, FIRST_RUN, rig.ports);
    expect(rig.jobs.archives.has(job.id)).toBe(true);
  });
});

test('an item whose process ended before it found out that its task is of another is held by the next run', async () => {
  const rig = await openRig();
  const second = named('second');
  for (const item of [first, second]) await rig.admit(item);
  await submit(first, FIRST_RUN, rig.ports);
  rig.simulator.setFaults([{ name: 'repeated-task-id', times: 1 }]);
  const killed = { ...rig.state, claimTask: async () => second.id, move: () => Promise.reject(new Error('killed')) };
  await expect(submit(second, FIRST_RUN, { ...rig.ports, state: killed })).rejects.toThrow('killed');
  const [task] = rig.simulator.ledger().taskLog;
  expect(await rig.recordOf(second)).toMatchObject({ state: 'submitted', taskId: task?.taskId });
  await submit(second, FIRST_RUN, rig.ports);
  expect(await rig.recordOf(second)).toMatchObject({ state: 'held', othersTaskIds: [task?.taskId] });
  expect([...rig.jobs.polls.keys()]).toEqual([first.id]);
});
