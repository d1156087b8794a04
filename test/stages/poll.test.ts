import { describe, expect, test } from 'vitest';
import type { Submitted } from '../../src/items/item.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import type { PollOutcome } from '../../src/provider/provider.ts';
import { poll } from '../../src/stages/poll.ts';
import type { Slot, TakeOptions } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { Crash, commonOf, crashing, FIRST_RUN } from './rig.ts';
import { answering, item, submittedRig, takePoll } from './submitted.ts';

const failed = { kind: 'failed', reason: 'generation-failed', charged: 'unknown', code: 501, message: 'no' } as const;

test('the slot of a poll counts from when its request leaves, which may have waited for a connection', async () => {
  const { rig, task } = await submittedRig();
  const steps: string[] = [];
  const pollLimiter = {
    async take(options: TakeOptions): Promise<Slot> {
      const slot = await rig.ports.pollLimiter.take(options);
      const noted =
        <Result>(step: string, then: () => Result) =>
        () => {
          steps.push(step);
          return then();
        };
      return {
        ...slot,
        ready: noted('ready', slot.ready),
        sent: noted('sent', slot.sent),
        settle: noted('settle', slot.settle),
      };
    },
  };
  await poll(task, FIRST_RUN, { ...rig.ports, pollLimiter });
  expect(steps).toEqual(['ready', 'sent', 'settle']);
});

describe('a finished task', () => {
  test('goes to archive with its URLs and their deadlines, and teaches how long tasks take', async () => {
    const { rig, task } = await submittedRig();
    await rig.untilEnded(task.taskId);
    expect(await poll(task, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const finished = rig.jobs.archives.get(item.id)?.data;
    expect(finished).toMatchObject({
      taskId: task.taskId,
      originUrl: expect.any(String),
      storedUrl: expect.any(String),
    });
    expect(finished?.originDiesAt).toBe((finished?.completedAt ?? 0) + 600_000);
    expect(finished?.storedDiesAt).toBe((finished?.completedAt ?? 0) + rig.ports.settings.storedTtlMs);
    expect(await rig.stateOf(item)).toBe('finished');
    expect(await rig.redis.llen(rig.keys.durations('flux-kontext-pro'))).toBe(1);
  });

  test.each([
    { said: 'before its submit', shift: -60_000 },
    { said: 'in the future', shift: 60_000 },
  ])('that is said to have ended $said is taken for one that ended while we looked', async ({ shift }) => {
    const { rig, task } = await submittedRig();
    const completedAt = Date.now() + shift;
    await poll(
      task,
      FIRST_RUN,
      answering(rig, { kind: 'succeeded', sources: [{ kind: 'origin', url: 'https://a.b/c' }], completedAt }),
    );
    const finished = rig.jobs.archives.get(item.id)?.data;
    expect(finished?.completedAt).toBeGreaterThanOrEqual(task.submittedAt);
    expect(finished?.completedAt).toBeLessThanOrEqual(Date.now());
  });

  test('whose poller dies between the archive job and the state is found again', async () => {
    const { rig, task } = await submittedRig();
    await rig.untilEnded(task.taskId);
    const state = crashing(rig.state, 'move', 'before');
    await expect(poll(task, FIRST_RUN, { ...rig.ports, state })).rejects.toThrow(Crash);
    expect(rig.jobs.archives.size).toBe(1);
    await poll(task, FIRST_RUN, rig.ports);
    expect(await rig.stateOf(item)).toBe('finished');
    expect(rig.tasks()).toBe(1);
  });
});

describe('a task that runs', () => {
  test('is asked for again later', async () => {
    const { rig, task } = await submittedRig({ simulator: { medianMs: 60_000 } });
    const outcome = await poll(task, FIRST_RUN, rig.ports);
    expect(outcome.kind).toBe('later');
    expect(outcome.kind === 'later' ? outcome.atMs : 0).toBeGreaterThan(Date.now());
    expect(await rig.stateOf(item)).toBe('submitted');
  });

  test('past its time is held, and its record keeps the task id to ask again', async () => {
    const { rig, task } = await submittedRig({ simulator: { medianMs: 60_000 } });
    expect(await poll({ ...task, giveUpAt: Date.now() - 1 }, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const record = await rig.recordOf(item);
    expect(record).toMatchObject({ state: 'held', taskId: task.taskId, failure: { class: 'poll-timeout' } });
    expect(await rig.stateOf(item)).toBe('held');
  });

  test('is never asked for after its time, but once more at it', async () => {
    const { rig, task } = await submittedRig({ simulator: { medianMs: 60_000 } });
    const giveUpAt = Date.now() + 1_000;
    expect(await poll({ ...task, giveUpAt }, FIRST_RUN, rig.ports)).toEqual({ kind: 'later', atMs: giveUpAt });
  });
});

describe('a task that the provider does not know', () => {
  const unknown = { kind: 'not-found', message: 'no such task' } as const;

  test('now and then, long after its submit, is not given up for that', async () => {
    const { rig, task } = await submittedRig({
      settings: { unknownTaskGraceMs: 0 },
      simulator: { faults: [{ name: 'poll-404', times: 2 }] },
    });
    await rig.untilEnded(task.taskId);
    expect(await poll(task, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.stateOf(item)).toBe('finished');
  });

  test('is asked for again within the grace', async () => {
    const { rig, task } = await submittedRig();
    expect(await poll(task, FIRST_RUN, answering(rig, unknown))).toMatchObject({ kind: 'later' });
  });

  test('is held after it', async () => {
    const { rig, task } = await submittedRig();
    await poll({ ...task, submittedAt: Date.now() - 61_000 }, FIRST_RUN, answering(rig, unknown));
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'unknown-task' } });
  });
});

describe('a generation that failed', () => {
  const faults = [{ name: 'flag-3' as const, times: 1 }];

  test('ends the item when none is to be tried again', async () => {
    const { rig, task } = await submittedRig({ simulator: { faults } });
    await rig.untilEnded(task.taskId);
    expect(await poll(task, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const failure = { class: 'generation-failed', code: 501 };
    expect(await rig.recordOf(item)).toMatchObject({ state: 'failed', taskId: task.taskId, failure });
    expect(await rig.stateOf(item)).toBe('failed');
    expect(rig.jobs.submits.size).toBe(0);
  });

  test('is submitted again as often as the user allows, and remembers what it cost', async () => {
    const { rig, task } = await submittedRig({ simulator: { faults }, settings: { generationRetries: 1 } });
    await rig.untilEnded(task.taskId);
    await poll(task, FIRST_RUN, rig.ports);
    expect(await rig.stateOf(item)).toBe('queued');
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', earlierTaskIds: [task.taskId] });
    const again = rig.jobs.submits.get(item.id)?.data;
    expect(again).toEqual(item);
    await submit(item, FIRST_RUN, rig.ports);
    const second = takePoll(rig);
    await poll(second, FIRST_RUN, answering(rig, failed));
    const record = await rig.recordOf(item);
    expect(record).toMatchObject({
      state: 'failed',
      taskId: second.taskId,
      earlierTaskIds: [task.taskId],
      attempts: 2,
    });
    expect(rig.tasks()).toBe(2);
  });

  test('for its content is never submitted again', async () => {
    const { rig, task } = await submittedRig({ settings: { generationRetries: 3 } });
    await poll(task, FIRST_RUN, answering(rig, { ...failed, reason: 'content-policy', code: 400 }));
    expect(await rig.recordOf(item)).toMatchObject({
      state: 'failed',
      failure: { class: 'content-policy', code: 400 },
    });
  });

  test.each(['records', 'state', 'forward'] as const)(
    'whose poller dies at %s is submitted again once all the same',
    async (port) => {
      const { rig, task } = await submittedRig({ simulator: { faults }, settings: { generationRetries: 2 } });
      await rig.untilEnded(task.taskId);
      const broken = {
        records: { ...rig.ports, records: crashing(rig.records, 'update', 'after') },
        state: { ...rig.ports, state: crashing(rig.state, 'move', 'after') },
        forward: { ...rig.ports, forward: crashing(rig.ports.forward, 'submit', 'before') },
      }[port];
      await expect(poll(task, FIRST_RUN, broken)).rejects.toThrow(Crash);
      await poll(task, FIRST_RUN, rig.ports);
      expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', earlierTaskIds: [task.taskId] });
      expect(rig.jobs.submits.size).toBe(1);
      expect(await rig.stateOf(item)).toBe('queued');
    },
  );

  test('whose poller dies after handing on does not make the newer task be paid for again, and finds it', async () => {
    const { rig, task } = await submittedRig({ simulator: { faults }, settings: { generationRetries: 2 } });
    await rig.untilEnded(task.taskId);
    const forward = crashing(rig.ports.forward, 'submit', 'after');
    await expect(poll(task, FIRST_RUN, { ...rig.ports, forward })).rejects.toThrow(Crash);
    // Its job is still there and comes to life again: adding one for the newer task was a no-op.
    await submit(item, FIRST_RUN, rig.ports);
    const newer = takePoll(rig);
    rig.jobs.submits.clear();
    await rig.untilEnded(newer.taskId);
    await poll(task, FIRST_RUN, rig.ports);
    expect(rig.jobs.submits.size).toBe(0);
    expect(rig.jobs.archives.get(item.id)?.data).toMatchObject({ taskId: newer.taskId });
    expect(await rig.stateOf(item)).toBe('finished');
  });
});

describe('a task that was superseded', () => {
  const newer = (task: Submitted): ItemRecord => ({
    ...commonOf(item, { attempts: 2, earlierTaskIds: [task.taskId] }),
    state: 'submitted',
    taskId: 'task-newer',
  });

  test('does not overwrite the record of the newer one when it fails', async () => {
    const { rig, task } = await submittedRig();
    const record = newer(task);
    await rig.put(record);
    const ports = answering(rig, failed);
    const provider = {
      ...ports.provider,
      poll: async (id: string): Promise<PollOutcome> => (id === task.taskId ? failed : { kind: 'generating' }),
    };
    expect(await poll(task, FIRST_RUN, { ...ports, provider })).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toEqual(record);
    expect(await rig.stateOf(item)).toBe('submitted');
  });

  test('does not overwrite it when its time is over', async () => {
    const { rig, task } = await submittedRig();
    const record = newer(task);
    await rig.put(record);
    await poll({ ...task, giveUpAt: 0 }, FIRST_RUN, answering(rig, { kind: 'generating' }));
    expect(await rig.recordOf(item)).toEqual(record);
  });
});
