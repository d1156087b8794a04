import { expect, test } from 'vitest';
import { layout } from '../../src/archive/layout.ts';
import { findRecord } from '../../src/archive/read-records.ts';
import { poll } from '../../src/stages/poll.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, FIRST_RUN, itemNamed, openRig } from './rig.ts';

const item = itemNamed('harbour');
const JSON_TYPE = { contentType: 'application/json' };

test('a record that is cut off between claim and answer keeps its task: beside it, told, and ready to be put in its place', async () => {
  const rig = await openRig();
  await rig.admit(item);
  const key = layout.record(BATCH, item.id);
  const left = Buffer.from('{ "version": 1, "id": "harb');
  const provider: typeof rig.ports.provider = {
    ...rig.ports.provider,
    submit: async (...call) => {
      const outcome = await rig.ports.provider.submit(...call);
      await rig.archive.write(key, left, JSON_TYPE);
      return outcome;
    },
  };
  await submit(item, FIRST_RUN, { ...rig.ports, provider });
  const [task] = rig.simulator.ledger().taskLog;
  const aside = layout.aside(BATCH, item.id);
  expect(await rig.archive.read(key)).toEqual(left);
  expect(await findRecord(rig.records, BATCH, item.id)).toMatchObject({
    state: 'unreadable',
    taskId: task?.taskId,
    message: expect.stringContaining(aside),
  });
  await expect(rig.records.readMarked(BATCH, item.id)).rejects.toMatchObject({ found: { taskId: task?.taskId } });

  await rig.archive.write(key, (await rig.archive.read(aside)) ?? Buffer.alloc(0), JSON_TYPE);
  expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task?.taskId, attempts: 1 });
});

test('a task that only its poll job names is put aside, too', async () => {
  const rig = await openRig();
  await rig.admit(item);
  await submit(item, FIRST_RUN, rig.ports);
  const job = rig.jobs.polls.get(item.id)?.data;
  if (!job) throw new Error('Expected a poll job');
  await rig.archive.write(layout.record(BATCH, item.id), Buffer.from('{'), JSON_TYPE);
  await expect(poll({ ...job, recorded: false }, FIRST_RUN, rig.ports)).rejects.toMatchObject({
    code: 'record-corrupt',
  });
  expect(await findRecord(rig.records, BATCH, item.id)).toMatchObject({ state: 'unreadable', taskId: job.taskId });
});
