import { createHmac } from 'node:crypto';
import { Worker } from 'bullmq';
import { expect, test, vi } from 'vitest';
import { redisPollHints } from '../../src/fleet/poll-hints.ts';
import { pollNow } from '../../src/queue/poll-now.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { type Deployment, itemsOf, startDeployment } from './deployment.ts';

const bodyOf = (taskId: string) => JSON.stringify({ code: 200, msg: 'success', data: { taskId, info: {} } });

function post({ url }: Deployment, token: string, body: string, headers: Record<string, string> = {}) {
  return fetch(`${url}/callbacks/${token}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const tokenOf = ({ serving }: Deployment, item: { batch: string; id: string }) =>
  serving.called[0]?.tokens.mint(item) ?? '';

/** One item whose task runs for long, its poll delayed. */
async function withRunningTask(options: Parameters<typeof startDeployment>[0] = {}) {
  const deployment = await startDeployment({ ...options, simulator: { timeScale: 100, ...options.simulator } });
  const [item = { batch: '', id: '' }] = itemsOf('spring', 1);
  const { fleet } = await deployment.addWorkers(['submit']);
  await deployment.enqueue('spring', itemsOf('spring', 1));
  const taskId = await vi.waitFor(async () => {
    const record = await deployment.connections.records.read('spring', item.id);
    if (record?.state !== 'submitted') throw new Error('not submitted yet');
    if ((await deployment.connections.queues.depths()).poll.delayed !== 1) throw new Error('no poll yet');
    return record.taskId;
  });
  const pollsDelayed = async () => (await deployment.connections.queues.depths()).poll.delayed;
  return { ...deployment, deployment, fleet, item, taskId, pollsDelayed, token: tokenOf(deployment, item) };
}

test('a submit carries the address of its item, and the callback to it is taken', async () => {
  const deployment = await startDeployment({ simulator: { timeScale: 0.05 } });
  await deployment.addWorkers();
  await deployment.enqueue('spring', itemsOf('spring', 5));
  const counts = await deployment.ended('spring');
  expect(counts.items.archived).toBe(5);
  const { taskLog } = deployment.simulator.ledger();
  expect(taskLog[0]?.request).toMatchObject({ callBackUrl: expect.stringContaining(`${deployment.url}/callbacks/`) });
  await vi.waitFor(() => expect(deployment.simulator.ledger().callbacks.delivered).toBe(5));
  expect(deployment.simulator.ledger().callbacks.failed).toBe(0);
});

test('a callback promotes the delayed poll of its task', async () => {
  const { deployment, token, taskId, pollsDelayed } = await withRunningTask();
  const answer = await post(deployment, token, bodyOf(taskId));
  expect([answer.status, await answer.json()]).toEqual([200, { result: 'hurried' }]);
  expect(await pollsDelayed()).toBe(0);
});

test('a hint that meets a poll under way is taken up when that poll delays itself', async () => {
  const { deployment, connections, item, taskId, token } = await withRunningTask();
  const poll = await connections.queues.byStage.poll.getJob(`spring/${item.id}`);
  await poll?.promote();
  // As a worker has it while it polls.
  const connection = await connectRedis(deployment.redis.url, { patient: true, name: 'worker' });
  const worker = new Worker('poll', null, { connection, prefix: connections.prefix });
  const active = await worker.getNextJob('a-token');
  expect(active?.data.taskId).toBe(taskId);
  expect((await post(deployment, token, bodyOf(taskId))).status).toBe(200);
  const { redis, keys, routes } = connections;
  const hints = pollNow(redisPollHints(redis, keys), routes);
  await active?.moveToDelayed(Date.now() + 60_000, 'a-token');
  const task = { ...item, taskId };
  expect(await hints.isAsked(task)).toBe(true);
  expect([await hints.take(task), await hints.take(task)]).toEqual([true, false]);
  expect(await hints.isAsked(task)).toBe(false);
  await worker.close();
  connection.disconnect();
});

test.each(['duplicates', 'callbacks of another task'])('%s change nothing', async (which) => {
  const { deployment, token, taskId, connections, item, pollsDelayed } = await withRunningTask();
  if (which === 'duplicates') {
    for (let times = 0; times < 3; times += 1) expect((await post(deployment, token, bodyOf(taskId))).status).toBe(200);
    expect((await connections.queues.depths()).poll).toMatchObject({ waiting: 1, delayed: 0 });
  } else {
    const answer = await post(deployment, token, bodyOf('task_of_somebody'));
    expect([answer.status, await answer.json()]).toEqual([200, { result: 'ignored' }]);
    expect(await pollsDelayed()).toBe(1);
  }
  expect(await connections.records.read('spring', item.id)).toMatchObject({ state: 'submitted', taskId });
});

test('unknown tokens, bodies that are none and too large ones are refused and change nothing', async () => {
  const { deployment, token, taskId, pollsDelayed } = await withRunningTask();
  expect((await post(deployment, 'c3ByaW5nL3g.AAAA', bodyOf(taskId))).status).toBe(404);
  expect((await post(deployment, token, 'task')).status).toBe(400);
  expect((await post(deployment, token, `${bodyOf(taskId)}${' '.repeat(20 * 1_024)}`)).status).toBe(413);
  expect(await pollsDelayed()).toBe(1);
});

test('with a webhook key only what is signed now is taken', async () => {
  const { deployment, token, taskId, pollsDelayed } = await withRunningTask({ config: { FLUX_WEBHOOK_KEY: 'secret' } });
  const signedAt = (ms: number, key = 'secret') => {
    const timestamp = String(Math.floor(ms / 1_000));
    const signature = createHmac('sha256', key).update(`${taskId}.${timestamp}`).digest('base64');
    return { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature };
  };
  const now = Date.now();
  for (const headers of [{}, signedAt(now, 'guess'), signedAt(now - 400_000), signedAt(now + 400_000)]) {
    expect((await post(deployment, token, bodyOf(taskId), headers)).status).toBe(401);
  }
  expect(await pollsDelayed()).toBe(1);
  expect((await post(deployment, token, bodyOf(taskId), signedAt(now))).status).toBe(200);
  expect(await pollsDelayed()).toBe(0);
});

test('a submit whose answer is lost is held, until the callback brings its task back', async () => {
  const deployment = await startDeployment({ simulator: { faults: [{ name: 'reset-after-accept', times: 1 }] } });
  await deployment.addWorkers();
  await deployment.enqueue('spring', itemsOf('spring', 1));
  await vi.waitFor(async () => expect((await deployment.connections.state.counts('spring'))?.items.archived).toBe(1), {
    interval: 50,
  });
  expect(deployment.simulator.ledger().tasks.accepted).toBe(1);
  expect(await deployment.connections.state.counts('spring')).toMatchObject({ submits: 1, credits: 8 });
});

test('a task that ends before its submit is answered is archived once, and the late answer sets nothing back', async () => {
  const deployment = await startDeployment({
    simulator: { timeScale: 0.01, slowAnswerMs: 1_500, faults: [{ name: 'slow-answer', times: 1 }] },
  });
  const { fleet, connections } = await deployment.addWorkers();
  const [item = { id: '' }] = itemsOf('spring', 1);
  await deployment.enqueue('spring', itemsOf('spring', 1));
  await deployment.ended('spring');
  await fleet.drain(20_000);
  expect(await connections.records.read('spring', item.id)).toMatchObject({ state: 'archived' });
  expect(deployment.simulator.ledger().tasks.accepted).toBe(1);
  expect((await connections.state.counts('spring'))?.submits).toBe(1);
});

test('after everything is over a callback is answered and changes nothing', async () => {
  const deployment = await startDeployment();
  await deployment.addWorkers();
  const [item = { batch: '', id: '' }] = itemsOf('spring', 1);
  await deployment.enqueue('spring', itemsOf('spring', 1));
  await deployment.ended('spring');
  const before = await deployment.connections.records.read('spring', item.id);
  const taskId = deployment.simulator.ledger().taskLog[0]?.taskId ?? '';
  for (const told of [taskId, 'task_of_somebody']) {
    const answer = await post(deployment, tokenOf(deployment, item), bodyOf(told));
    expect([answer.status, await answer.json()]).toEqual([200, { result: 'ignored' }]);
  }
  expect(await deployment.connections.records.read('spring', item.id)).toEqual(before);
});

test('with Redis flushed, a claimed item still gets its task back from the callback', async () => {
  const deployment = await startDeployment({ simulator: { timeScale: 100 } });
  const { connections } = deployment;
  const [item] = itemsOf('spring', 1);
  if (!item) throw new Error('no item');
  const { request, ...facts } = item;
  await connections.records.write({
    ...facts,
    request,
    version: 1,
    state: 'claimed',
    attempts: 1,
    earlierTaskIds: [],
    timings: { queued: new Date().toISOString(), submitted: new Date().toISOString() },
  });
  const answer = await post(deployment, tokenOf(deployment, item), bodyOf('task-1'));
  expect([answer.status, await answer.json()]).toEqual([200, { result: 'brought-back' }]);
  expect(await connections.records.read('spring', item.id)).toMatchObject({ state: 'submitted', taskId: 'task-1' });
  expect((await connections.queues.depths()).poll.waiting).toBe(1);
});

test('callbacks that repeat have their task polled at once, and not once more for each of them', async () => {
  const { deployment, token, taskId, connections } = await withRunningTask();
  await post(deployment, token, bodyOf(taskId));
  const connection = await connectRedis(deployment.redis.url, { patient: true, name: 'worker' });
  const worker = new Worker('poll', null, { connection, prefix: connections.prefix });
  const poll = await worker.getNextJob('a-token');
  // As after a poll that found the task running.
  await poll?.moveToDelayed(Date.now() + 60_000, 'a-token');
  for (let times = 0; times < 20; times += 1) expect((await post(deployment, token, bodyOf(taskId))).status).toBe(200);
  expect((await connections.queues.depths()).poll).toMatchObject({ waiting: 0, delayed: 1 });
  await worker.close();
  connection.disconnect();
});

test('nonsense that is sent to the address of callbacks fills no log', async () => {
  const deployment = await startDeployment();
  const warn = vi.spyOn(deployment.connections.log, 'warn');
  for (let times = 0; times < 50; times += 1) expect((await post(deployment, `x.${times}`, '{}')).status).toBe(404);
  expect(warn).toHaveBeenCalledOnce();
});
