import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pictures, startCrew } from '../batch/crew.ts';
import { run, start } from './cli.ts';

describe('flux-batch', () => {
  it('pause, resume and cancel act on the workers of other processes, and say what they did', async () => {
    // Far from its end when the second command comes, however long its process takes to start.
    const crew = await startCrew({ rate: '1/200ms' });
    await crew.enqueue('spring', pictures(300));
    const worker = start(crew.env, 'worker');
    await crew.until('spring', ({ items }) => items.archived > 5);

    const paused = await run(crew.env, 'pause', 'spring', '--json');
    expect(paused.code).toBe(0);
    expect(JSON.parse(paused.stdout)).toMatchObject({ batch: 'spring', pausedAt: expect.any(Number) });
    expect(await run(crew.env, 'pause', 'spring')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('is paused'),
    });
    await crew.until('spring', ({ items }) => items.submitting + items.submitted + items.finished === 0);
    const { seen } = crew.simulator.ledger().submits;
    expect(seen).toBeLessThan(300);

    expect((await run(crew.env, 'status', 'spring')).code).toBe(0);
    expect(crew.simulator.ledger().submits.seen).toBe(seen);

    expect((await run(crew.env, 'resume', 'spring')).stderr).toContain('goes on');
    await crew.until('spring', ({ items }) => items.submitted > 0);
    const cancelled = await run(crew.env, 'cancel', 'spring', '--json');
    expect(JSON.parse(cancelled.stdout).cancelled).toBeGreaterThan(0);
    const { items } = await crew.ended('spring');
    expect(items.archived).toBe(crew.simulator.ledger().tasks.accepted);
    expect(await run(crew.env, 'cancel', 'spring')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('has ended'),
    });

    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });

  it('retry and held take up what failed and what is held', async () => {
    const crew = await startCrew({ simulator: { faults: [{ name: 'reset-after-accept', times: 2 }] } });
    await crew.enqueue('mixed', pictures(4));
    await crew.work();
    await crew.ended('mixed');
    // Only now, so that it is not one of the two that are reset.
    await crew.enqueue('mixed', [...pictures(4), 'a forbidden lamp']);
    const { items } = await crew.ended('mixed');
    expect(items).toMatchObject({ failed: 1, held: 2, archived: 2 });

    const retried = await run(crew.env, 'retry', 'mixed', '--class', 'content-policy', '--json');
    expect(JSON.parse(retried.stdout)).toEqual({ batch: 'mixed', retried: 1, submits: 1, asks: 0, credits: 8 });
    expect((await run(crew.env, 'retry', 'mixed', '--class', 'expired')).stderr).toContain('nothing to retry');

    const listed = await run(crew.env, 'held', 'mixed', '--json');
    const held = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(held).toHaveLength(2);
    const text = (await run(crew.env, 'held', 'mixed')).stdout;
    for (const { id, request } of held) {
      expect(text).toContain(id);
      expect(text).toContain(request.prompt);
    }

    const task = crew.simulator
      .ledger()
      .taskLog.find(({ request }) => JSON.stringify(request).includes(held[0].request.prompt));
    expect((await run(crew.env, 'held', 'mixed', 'attach', held[0].id, task?.taskId ?? '')).code).toBe(0);
    expect((await run(crew.env, 'held', 'mixed', 'drop', held[1].name)).stderr).toContain('1 held item dropped');
    expect((await run(crew.env, 'held', 'mixed', 'drop', held[1].id)).stderr).toContain('is not held but failed');
    expect((await crew.ended('mixed')).items).toMatchObject({ archived: 3, failed: 2, held: 0 });
    expect((await run(crew.env, 'held', 'mixed')).stderr).toContain('nothing is held');
  });

  it('names the batches that it knows when it is given another', async () => {
    const crew = await startCrew();
    await crew.enqueue('spring', pictures(1));
    const commands = ['pause', 'resume', 'cancel', 'retry', 'held', 'status'];
    const answers = await Promise.all(commands.map((command) => run(crew.env, command, 'sprign')));
    for (const [index, { code, stderr }] of answers.entries()) {
      expect(code, commands[index]).toBe(2);
      expect(stderr, commands[index]).toContain('Known: spring');
    }
    expect(await run(crew.env, 'pause')).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
  });

  it('status shows queues, rates, workers and what is paused; a worker that is killed is soon gone', async () => {
    const crew = await startCrew();
    await crew.enqueue('spring', pictures(3));
    await run(crew.env, 'pause', '--all');
    const worker = start(crew.env, 'worker', 'submit', 'poll');
    const watch = start(crew.env, 'status', '--watch', '--json');
    const latest = () => JSON.parse(watch.stdout().trim().split('\n').at(-1) ?? '{}');
    await vi.waitFor(() => expect(latest().workers).toHaveLength(1));
    expect(latest()).toMatchObject({
      pausedAt: expect.any(Number),
      queues: { submit: { waiting: 3, oldestMs: expect.any(Number) } },
      rates: { submit: { limit: 50, windowMs: 500 } },
      tasks: { running: 0, most: 1_000 },
      workers: [{ pid: worker.child.pid, stages: ['submit', 'poll'] }],
    });
    const text = (await run(crew.env, 'status')).stdout;
    expect(text).toContain('all batches are paused');
    expect(text).toContain(`:${worker.child.pid}`);

    worker.child.kill('SIGKILL');
    await vi.waitFor(() => expect(latest().workers).toEqual([]));
    watch.child.kill('SIGINT');
    expect((await watch.ended).code).toBe(0);
  });

  it('enqueue --priority lets one batch go before another, and an item before others of its batch', async () => {
    const crew = await startCrew();
    const file = async (batch: string, priorities: number[]) => {
      const { writeFile } = await import('node:fs/promises');
      const path = `${crew.redis.dir}/${batch}.json`;
      const jobs = priorities.map((priority, index) => ({ id: `i${index}`, prompt: `${batch} ${index}`, priority }));
      await writeFile(path, JSON.stringify({ version: 1, batch, jobs }));
      return path;
    };
    await run(crew.env, 'enqueue', await file('later', [1, 1]), '--priority', '2');
    await run(crew.env, 'enqueue', await file('sooner', [9, 3]), '--priority', '1');
    const worker = start({ ...crew.env, FLUX_RATE_LIMIT: '1/100ms' }, 'worker', '--submit-concurrency', '1');
    onTestFinished(() => void worker.child.kill('SIGKILL'));
    await crew.ended('later');
    const prompts = crew.simulator.ledger().taskLog.map(({ request }) => JSON.parse(JSON.stringify(request)).prompt);
    expect(prompts).toEqual(['sooner 1', 'sooner 0', 'later 0', 'later 1']);
  });

  it('worker ends within the drain timeout when what it does takes longer', async () => {
    // So long that nothing but the timeout can end it.
    const crew = await startCrew({
      simulator: { slowAnswerMs: 3_600_000, faults: [{ name: 'slow-answer', share: 1 }] },
    });
    await crew.enqueue('slow', pictures(2));
    const worker = start({ ...crew.env, FLUX_SUBMIT_TIMEOUT: '1h' }, 'worker', '--drain-timeout', '500ms');
    await vi.waitFor(() => expect(crew.simulator.ledger().submits.seen).toBe(2));
    worker.child.kill('SIGTERM');
    const ended = await worker.ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('take it over');
  });
});
