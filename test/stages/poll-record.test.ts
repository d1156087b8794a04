import { describe, expect, test } from 'vitest';
import type { ItemRecord } from '../../src/items/record.ts';
import { poll } from '../../src/stages/poll.ts';
import { Crash, commonOf, crashing, FIRST_RUN } from './rig.ts';
import { item, submittedRig } from './submitted.ts';

test('a job that goes on with a newer task takes along nothing of what the former has cost', async () => {
  const { rig, task } = await submittedRig();
  const newer = { ...commonOf(item, { attempts: 2, earlierTaskIds: [task.taskId] }), taskId: 'task-newer' };
  await rig.put({ ...newer, state: 'submitted' });
  const ended = { kind: 'failed', reason: 'content-policy', charged: 'no', message: 'moderated' } as const;
  const made = { kind: 'succeeded', sources: [{ kind: 'stored', url: 'http://127.0.0.1:9/image.png' }] } as const;
  const answer = async (handle: string) => (handle === task.taskId ? ended : made);
  await poll({ ...task, credits: 3 }, FIRST_RUN, { ...rig.ports, provider: { ...rig.ports.provider, poll: answer } });
  const finished = rig.jobs.archives.get(item.id)?.data;
  expect(finished).toMatchObject({ taskId: 'task-newer' });
  expect(finished).not.toHaveProperty('credits');
});

describe('a task id that the archive does not have yet', () => {
  test('is recorded before anything is asked', async () => {
    const { rig, task } = await submittedRig();
    await rig.put({ ...commonOf(item, { attempts: 1 }), state: 'claimed' });
    const provider = crashing(rig.ports.provider, 'poll', 'before');
    await expect(poll({ ...task, recorded: false }, FIRST_RUN, { ...rig.ports, provider })).rejects.toThrow(Crash);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task.taskId });
  });

  test('is recorded also where the item was held meanwhile for its unknown outcome', async () => {
    const { rig, task } = await submittedRig({ simulator: { medianMs: 60_000 } });
    await rig.put({
      ...commonOf(item, { attempts: 1 }),
      state: 'held',
      failure: { class: 'unknown-outcome', message: 'who knows' },
    });
    await poll({ ...task, recorded: false }, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task.taskId });
  });

  test('never goes over a record that has gone on', async () => {
    const { rig, task } = await submittedRig({ simulator: { medianMs: 60_000 } });
    const record: ItemRecord = {
      ...commonOf(item, { attempts: 2, earlierTaskIds: [task.taskId] }),
      state: 'submitted',
      taskId: 'task-newer',
    };
    await rig.put(record);
    await poll({ ...task, recorded: false }, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toEqual(record);
  });
});
