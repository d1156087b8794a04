import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { finishJobId, jobIdOf } from '../../src/queue/queues.ts';
import { BATCH, openRig, prompts, type Rig } from '../batch/rig.ts';
import { itemNamed } from '../stages/rig.ts';

const QUICKLY = { jobCheckMs: 200 };

/** A user of its own, so that rights can be taken from the others. */
async function adminOf({ connections }: Rig): Promise<Redis> {
  const { redis, config } = connections;
  await redis.call('ACL', 'SETUSER', 'admin', 'on', '>secret', '+@all', '~*', '&*');
  const admin = new Redis(config.redisUrl ?? '', { username: 'admin', password: 'secret' });
  onTestFinished(() => admin.disconnect());
  return admin;
}

test('jobs whose scripts an ACL tore in their middle are run once the right is back, though no list has them', async () => {
  const rig = await openRig();
  const { queues } = rig.connections;
  const manifest = await rig.manifest(prompts(6));
  const admin = await adminOf(rig);
  await rig.enqueue(manifest);
  // What of them is left after a script that was refused its ZADD: their data.
  for (const list of ['wait', 'prioritized']) await admin.del(queues.byStage.submit.toKey(list));
  await admin.call('ACL', 'SETUSER', 'default', '-zadd');
  const another = itemNamed('another', { batch: BATCH, priority: 1 });
  await expect(queues.submitAll([another])).rejects.toMatchObject({
    code: 'redis-refused',
    message: expect.stringMatching(/^Redis refuses a script: .*can't run this command/),
  });
  expect(await queues.byStage.submit.getJob(jobIdOf(another))).toBeDefined();
  expect(await queues.byStage.submit.getJobState(jobIdOf(another))).toBe('unknown');
  await admin.call('ACL', 'SETUSER', 'default', '+zadd');
  // Adding what is there already does nothing.
  await rig.enqueue(manifest);
  expect(await queues.byStage.submit.getJobCountByTypes('prioritized', 'waiting', 'delayed')).toBe(0);

  await rig.work(QUICKLY);
  expect((await rig.ended()).items.archived).toBe(6);
  expect(rig.submits()).toBe(6);
});

test('a task whose poll job is torn while it waits is asked for again, and paid for once', async () => {
  const rig = await openRig({ simulator: { medianMs: 1_500, sigma: 0 } });
  await rig.enqueue(await rig.manifest(prompts(5)));
  const submitting = await rig.work({ stages: ['submit'] });
  await rig.until(({ items }) => items.submitted === 5);
  await submitting.drain();
  const { redis, queues } = rig.connections;
  const [first, second] = await redis.zrange(queues.byStage.poll.toKey('delayed'), '0', '-1');
  await redis.zrem(queues.byStage.poll.toKey('delayed'), first ?? '', second ?? '');
  await rig.work(QUICKLY);
  expect((await rig.ended()).items.archived).toBe(5);
  expect(rig.submits()).toBe(5);
});

test('a torn finish job is run, and the index is written', async () => {
  const rig = await openRig();
  const { redis, queues } = rig.connections;
  await rig.enqueue(await rig.manifest(prompts(2)));
  await queues.byStage.finish.pause();
  await rig.work({ jobCheckMs: 3_600_000 });
  await rig.until(({ items }) => items.archived === 2);
  const id = finishJobId(BATCH);
  await vi.waitFor(async () => expect(await queues.byStage.finish.getJob(id)).toBeDefined());
  for (const list of ['wait', 'paused']) await redis.lrem(queues.byStage.finish.toKey(list), 0, id);
  expect(await queues.byStage.finish.getJobState(id)).toBe('unknown');
  await queues.byStage.finish.resume();
  await rig.ended();
});
