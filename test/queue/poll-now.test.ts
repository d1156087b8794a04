import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { redisPollHints } from '../../src/fleet/poll-hints.ts';
import type { Submitted } from '../../src/items/item.ts';
import { pollNow } from '../../src/queue/poll-now.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { itemNamed } from '../stages/rig.ts';

async function open() {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  const prefix = `{test:${randomUUID()}}`;
  const queuesAt = (suffix: string) => {
    const queues = openQueues(redis, prefix, Date, suffix);
    onTestFinished(() => queues.close());
    queues.learn(['second']);
    return queues;
  };
  const [former, own] = [queuesAt('-former'), queuesAt('')];
  const of = vi.fn(async () => own);
  return { redis, former, own, of, polls: pollNow(redisPollHints(redis, keysOf(prefix)), { of }) };
}

function taskOf(name: string, more: Partial<Submitted> = {}): Submitted {
  const now = Date.now();
  const task = { taskId: `task-${name}`, submittedAt: now, giveUpAt: now + 3_600_000, recorded: true };
  return { ...itemNamed(name), ...task, ...more };
}

const inAnHour = () => Date.now() + 3_600_000;

test('the poll of a task is found in whichever lane it is, and marked', async () => {
  const { own, polls } = await open();
  const tasks = [taskOf('first'), taskOf('other', { lane: 'second' })];
  for (const task of tasks) {
    await own.forward.poll(task, inAnHour());
    expect(await polls.isAsked(task)).toBe(false);
    expect(await polls.ask(task, task.taskId)).toBe('hurried');
    expect(await polls.isAsked(task)).toBe(true);
    expect(await own.pollOf(task).getJobCounts('waiting', 'delayed')).toEqual({ waiting: 1, delayed: 0 });
  }
});

test('the job of an item that polls a former task in another lane is left alone', async () => {
  const { own, polls } = await open();
  const task = taskOf('moved', { lane: 'second' });
  await own.forward.poll(taskOf('moved', { taskId: 'former' }), inAnHour());
  expect(await polls.ask(task, task.taskId)).toBe('other-task');
  await own.forward.poll(task, inAnHour());
  expect(await polls.ask(task, task.taskId)).toBe('hurried');
  expect(await own.byStage.poll.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 0, delayed: 1 });
});

test('a second callback marks nothing, and what has no poll is absent', async () => {
  const { own, polls } = await open();
  const task = taskOf('twice');
  expect(await polls.ask(task, task.taskId)).toBe('absent');
  await own.forward.poll(task, inAnHour());
  expect(await polls.ask(task, task.taskId)).toBe('hurried');
  expect([await polls.take(task), await polls.take(task)]).toEqual([true, false]);
  expect(await polls.ask(task, task.taskId)).toBe('hurried');
  expect(await polls.isAsked(task)).toBe(false);
});

test('a batch that has gone over to other queues is found there at once', async () => {
  const { former, own, of, polls } = await open();
  of.mockResolvedValueOnce(former);
  const [left, gone] = [taskOf('left'), taskOf('gone')];
  await former.forward.poll(left, inAnHour());
  expect(await polls.ask(left, left.taskId)).toBe('hurried');
  await own.forward.poll(gone, inAnHour());
  expect(await polls.ask(gone, gone.taskId)).toBe('hurried');
});

test('a callback waits for two answers of Redis, whatever the number of lanes', async () => {
  const { redis, own, of, polls } = await open();
  const [warm, task] = [taskOf('warm'), taskOf('task', { lane: 'second' })];
  for (const one of [warm, task]) await own.forward.poll(one, inAnHour());
  // Both scripts are known to the server now.
  await polls.ask(warm, warm.taskId);
  const waits = countWaits(redis);
  of.mockClear();
  expect(await polls.ask(task, task.taskId)).toBe('hurried');
  expect([waits(), of.mock.calls.length]).toEqual([2, 0]);
});

/** How often nothing was under way when a command was sent. */
function countWaits(redis: Redis): () => number {
  let [waits, underWay] = [0, 0];
  const send = redis.sendCommand.bind(redis);
  vi.spyOn(redis, 'sendCommand').mockImplementation((command, stream) => {
    if (underWay === 0) waits += 1;
    underWay += 1;
    const ended = () => {
      underWay -= 1;
    };
    command.promise.then(ended, ended);
    return send(command, stream);
  });
  return () => waits;
}
