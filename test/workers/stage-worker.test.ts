import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { Redis, ReplyError } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { FluxError } from '../../src/errors.ts';
import type { Run, StageOutcome } from '../../src/stages/ports.ts';
import { stageWorker } from '../../workers/stage-worker.ts';

const schema = z.object({ name: z.string() });
type Data = z.infer<typeof schema>;

/** A worker of one stage on a queue of its own. */
function openStage(
  run: (data: Data, run: Run) => Promise<StageOutcome>,
  setAside: () => Promise<void> = async () => {},
) {
  const prefix = `{test:${randomUUID()}}`;
  const connection = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  const queue = new Queue('submit', { connection, prefix });
  const gaveUp: unknown[] = [];
  const trouble: unknown[] = [];
  const unforeseen: unknown[] = [];
  const counted: string[] = [];
  const worker = stageWorker({
    stage: 'submit',
    schema,
    concurrency: 4,
    run,
    giveUp: async (data, error) => {
      gaveUp.push({ data, error });
      await setAside();
    },
    onUnforeseen: (_data, error) => {
      unforeseen.push(error);
    },
    count: (name) => {
      counted.push(name);
    },
    onTrouble: (error) => {
      trouble.push(error);
    },
    redis: connection,
    clock: Date,
    prefix,
    signal: new AbortController().signal,
  });
  onTestFinished(async () => {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
    connection.disconnect();
  });
  const add = (data: unknown, attempts = 3, priority = 0) =>
    queue.add('item', data, {
      ...{ jobId: randomUUID(), attempts, backoff: { type: 'custom' }, priority },
      ...{ removeOnComplete: true, removeOnFail: true },
    });
  const untilEmpty = () =>
    vi.waitFor(async () => {
      const counts = await queue.getJobCounts();
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(0);
    });
  return { queue, worker, add, gaveUp, trouble, unforeseen, counted, untilEmpty };
}

test('a job that is done leaves nothing in Redis', async () => {
  const seen: Data[] = [];
  const { add, untilEmpty } = openStage(async (data) => {
    seen.push(data);
    return { kind: 'done' };
  });
  await add({ name: 'hero' });
  await untilEmpty();
  expect(seen).toEqual([{ name: 'hero' }]);
});

test('a job that is to run later runs again at its time, without using up an attempt', async () => {
  const runs: { at: number; run: Run }[] = [];
  const { add, untilEmpty } = openStage(async (_data, run) => {
    runs.push({ at: Date.now(), run });
    return runs.length < 4 ? { kind: 'later', atMs: Date.now() + 50 } : { kind: 'done' };
  });
  await add({ name: 'hero' }, 2);
  await untilEmpty();
  expect(runs.map(({ run }) => run.runs)).toEqual([1, 2, 3, 4]);
  for (const [index, { at }] of runs.slice(1).entries()) expect(at - (runs[index]?.at ?? 0)).toBeGreaterThanOrEqual(50);
});

test('what a run asks to be told, the next ones are told, until one asks for something else', async () => {
  const told: object[] = [];
  const { add, untilEmpty } = openStage(async (_data, { remembered }) => {
    told.push(remembered);
    const atMs = Date.now();
    if (told.length === 1) return { kind: 'later', atMs, remember: { unanswered: 1, unansweredSince: 5 } };
    if (told.length === 3) return { kind: 'later', atMs, remember: { unansweredMs: 7 } };
    return told.length < 4 ? { kind: 'later', atMs } : { kind: 'done' };
  });
  await add({ name: 'hero' });
  await untilEmpty();
  const first = { unanswered: 1, unansweredSince: 5 };
  expect(told).toEqual([{}, first, first, { unansweredMs: 7 }]);
});

test('a job whose last attempt throws is set aside, with its data and the error, and each throw is told and counted', async () => {
  const bug = new Error('a bug');
  const { add, untilEmpty, gaveUp, unforeseen, counted } = openStage(async () => {
    throw bug;
  });
  await add({ name: 'hero' }, 3);
  await untilEmpty();
  expect(gaveUp).toEqual([{ data: { name: 'hero' }, error: bug }]);
  expect(unforeseen).toEqual([bug, bug]);
  expect(counted).toEqual(['unforeseen', 'unforeseen', 'unforeseen', 'setAside']);
});

test('a job that cannot be set aside stays, is told and counted, and comes again', async () => {
  const denied = new FluxError('archive-denied', 'no rights');
  const { add, queue, gaveUp, trouble, counted } = openStage(
    async () => {
      throw new Error('a bug');
    },
    async () => {
      throw denied;
    },
  );
  const job = await add({ name: 'hero' }, 1);
  await vi.waitFor(async () => expect(await queue.getDelayedCount()).toBe(1));
  expect(trouble).toEqual([denied]);
  expect(counted).toEqual(['unforeseen', 'notSetAside']);
  await (await queue.getJob(job.id ?? ''))?.promote();
  await vi.waitFor(() => expect(gaveUp).toHaveLength(2));
  await vi.waitFor(async () => expect(await queue.getDelayedCount()).toBe(1));
});

test('a Redis that cannot serve just now is waited for without using up an attempt', async () => {
  const { add, queue, gaveUp } = openStage(async () => {
    throw new ReplyError('READONLY You can not write against a read only replica.');
  });
  await add({ name: 'hero' }, 1);
  await vi.waitFor(async () => expect(await queue.getDelayedCount()).toBe(1));
  expect(gaveUp).toEqual([]);
});

test('a fault that is not the item’s is told, and uses up no attempt', async () => {
  const full = new FluxError('archive-unreachable', 'no network');
  const { add, queue, trouble } = openStage(async () => {
    throw full;
  });
  const job = await add({ name: 'hero' }, 1);
  await vi.waitFor(async () => expect(await queue.getDelayedCount()).toBe(1));
  expect(trouble).toEqual([full]);
  const { delay } = (await queue.getJob(job.id ?? '')) ?? { delay: 0 };
  expect(delay).toBeGreaterThan(3_000);
});

test('data that cannot be read is never run and never dropped: it is put off, counted, and told once for its kind', async () => {
  const seen: Data[] = [];
  const { add, queue, trouble, counted } = openStage(async (data) => {
    seen.push(data);
    return { kind: 'done' };
  });
  for (const data of [{ nonsense: 1 }, { nonsense: 2 }, { name: 3 }]) await add(data);
  await vi.waitFor(async () => expect(await queue.getDelayedCount()).toBe(3));
  expect(seen).toEqual([]);
  expect(trouble).toHaveLength(2);
  expect(trouble[0]).toMatchObject({ code: 'job-unreadable' });
  expect(counted).toEqual(['unreadable', 'unreadable', 'unreadable']);
  expect((await queue.getDelayed()).map(({ data }) => data)).toContainEqual({ nonsense: 1 });
});

test('jobs are served by their priority, those without one first', async () => {
  const seen: string[] = [];
  const { add, worker, untilEmpty } = openStage(async ({ name }) => {
    seen.push(name);
    return { kind: 'done' };
  });
  await worker.pause();
  worker.concurrency = 1;
  for (const priority of [3, 1, 0, 2]) await add({ name: `priority ${priority}` }, 1, priority);
  worker.resume();
  await untilEmpty();
  expect(seen).toEqual(['priority 0', 'priority 1', 'priority 2', 'priority 3']);
});

test('a job whose record cannot be read is given up at its first attempt', async () => {
  const error = new FluxError('record-corrupt', 'cut off');
  const runs: Run[] = [];
  const { add, gaveUp, trouble, untilEmpty } = openStage(async (_data, run) => {
    runs.push(run);
    throw error;
  });
  await add({ name: 'hero' }, 20);
  await untilEmpty();
  expect(runs).toMatchObject([{ runs: 1 }]);
  expect(gaveUp).toEqual([{ data: { name: 'hero' }, error }]);
  expect(trouble).toEqual([]);
});
