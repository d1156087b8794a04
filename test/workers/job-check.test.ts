import { expect, test, vi } from 'vitest';
import { readRecords } from '../../src/archive/read-records.ts';
import type { Stage } from '../../src/queue/queues.ts';
import { BATCH, openRig, prompts, type Rig } from '../batch/rig.ts';

const QUICKLY = { jobCheckMs: 200 };

/** Takes so many waiting or delayed jobs out of a queue, as a Redis that lost some keys does. Returns the ids of their items. */
async function loseJobs({ connections }: Rig, stage: Stage, count: number): Promise<string[]> {
  const queue = connections.queues.byStage[stage];
  const lost: string[] = [];
  for (const job of await queue.getJobs(['prioritized', 'waiting', 'delayed'])) {
    if (lost.length === count) break;
    await job.remove();
    lost.push(String(job.id).split('/')[1] ?? '');
  }
  expect(lost).toHaveLength(count);
  return lost;
}

test('tasks whose poll jobs are lost are asked for again, and paid for once', async () => {
  const rig = await openRig({ simulator: { medianMs: 1_500, sigma: 0 } });
  await rig.enqueue(await rig.manifest(prompts(6)));
  const submitting = await rig.work({ stages: ['submit'] });
  await rig.until(({ items }) => items.submitted === 6);
  await submitting.drain();
  await loseJobs(rig, 'poll', 3);
  await rig.work(QUICKLY);
  expect((await rig.ended()).items.archived).toBe(6);
  expect(rig.submits()).toBe(6);
});

test('an item whose claim was given back, and whose job is lost, is submitted', async () => {
  const rig = await openRig({ simulator: { faults: [{ name: '455', share: 1 }] } });
  const { state, queues, records } = rig.connections;
  await rig.enqueue(await rig.manifest(prompts(3)));
  const fleet = await rig.work({ concurrency: { submit: 1 } });
  await vi.waitFor(async () => expect(await state.breaker()).toBeDefined());
  await vi.waitFor(async () => expect((await queues.depths()).submit).toMatchObject({ active: 0 }));
  await fleet.drain();
  const refused: string[] = [];
  for await (const record of readRecords(records, BATCH, records.list(BATCH))) refused.push(record.id);
  expect(refused.length).toBeGreaterThan(0);
  for (const id of refused) await (await queues.byStage.submit.getJob(`${BATCH}/${id}`))?.remove();

  rig.simulator.setFaults([]);
  await state.resetBreaker();
  await rig.work(QUICKLY);
  expect((await rig.ended()).items.archived).toBe(3);
});

test('an item whose record says its end gets that end', async () => {
  const rig = await openRig();
  const { state } = rig.connections;
  await rig.enqueue(await rig.manifest(prompts(2)));
  await rig.work(QUICKLY);
  await rig.ended();
  const ids: string[] = [];
  for await (const id of state.itemsIn(BATCH, ['archived'])) ids.push(id);
  const [id = ''] = ids;
  // As after a crash between record and state.
  await state.intake.admit(BATCH, [{ id, was: 'archived', to: 'submitted' }]);
  await rig.until(({ items }) => items.archived === 2);
  expect((await rig.ended()).items.archived).toBe(2);
  expect(rig.submits()).toBe(2);
});

test('an item without a job and a record is noted, and enqueueing its manifest makes it', async () => {
  const rig = await openRig();
  const manifest = await rig.manifest(prompts(5));
  await rig.enqueue(manifest);
  await loseJobs(rig, 'submit', 2);
  await rig.work(QUICKLY);
  const stuck = await rig.until(({ orphans, items }) => orphans > 0 && items.archived === 3);
  expect(stuck).toMatchObject({ orphans: 2, items: { queued: 2, archived: 3 } });
  expect((await rig.run(['status'])).stdout).toContain('2 items of spring have lost their jobs');
  await rig.enqueue(manifest);
  expect(await rig.ended()).toMatchObject({ orphans: 0, items: { archived: 5 } });
  expect(rig.submits()).toBe(5);
});

test('a batch in which nothing is missing is left alone', async () => {
  const rig = await openRig({ simulator: { medianMs: 300 } });
  await rig.enqueue(await rig.manifest(prompts(60)));
  await Promise.all([rig.work({ jobCheckMs: 20 }), rig.work({ jobCheckMs: 20 })]);
  expect((await rig.ended()).items.archived).toBe(60);
  expect(rig.submits()).toBe(60);
});
