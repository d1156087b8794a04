import { describe, expect, test, vi } from 'vitest';
import { poll } from '../../src/stages/poll.ts';
import type { Callbacks, Run, TakeOptions } from '../../src/stages/ports.ts';
import { Crash, FIRST_RUN } from './rig.ts';
import { answering, item, submittedRig, takePoll } from './submitted.ts';

const CALLED: Run = { ...FIRST_RUN, called: true };
const GENERATING = { kind: 'generating' } as const;
const SUCCEEDED = { kind: 'succeeded', sources: [{ kind: 'origin', url: 'https://a.b/c' }] } as const;
const TOO_EARLY = { kind: 'refused', refusal: 'rate-limited', code: 429, message: 'slow down' } as const;
const UNREACHABLE = { kind: 'unreachable', message: 'no' } as const;

/** A task whose callback is asked for, where so many of the latest came, and durations of 10 to 20 s are known. */
async function calledRig(share: number) {
  const note = vi.fn<Callbacks['note']>(async () => {});
  const callbacks: Callbacks = { asked: vi.fn(), share: async () => share, note };
  const { rig } = await submittedRig({ settings: { callbackUrlOf: () => 'http://127.0.0.1/callbacks/token' } });
  const known = Array.from({ length: 101 }, (_, index) => 10_000 + index * 100);
  rig.ports.durations = { add: async () => {}, sample: async () => known };
  rig.ports.callbacks = callbacks;
  return { rig, callbacks, note };
}

async function withTask(share: number) {
  const { rig, note } = await calledRig(share);
  await rig.ports.forward.poll({ ...(await taskOf(rig)) }, Date.now());
  const task = takePoll(rig);
  const at = (afterMs: number) => task.submittedAt + afterMs;
  return { rig, note, task, at };
}

async function taskOf(rig: Awaited<ReturnType<typeof submittedRig>>['rig']) {
  const record = await rig.recordOf(item);
  if (record?.state !== 'submitted') throw new Error('Expected a task');
  const submittedAt = Date.now();
  return { ...item, taskId: record.taskId, submittedAt, giveUpAt: submittedAt + 900_000, recorded: true };
}

describe('a poll that no callback has asked for', () => {
  test('is put off unasked while callbacks come, until nearly all tasks have ended', async () => {
    const { rig, task, at } = await withTask(0.98);
    const asked = vi.spyOn(rig.ports.provider, 'poll');
    const outcome = await poll(task, FIRST_RUN, rig.ports);
    expect(outcome).toMatchObject({ kind: 'later', remember: { unasked: 1 } });
    expect(outcome.kind === 'later' && outcome.atMs).toBeGreaterThan(at(19_000));
    expect(asked).not.toHaveBeenCalled();
  });

  test('that was put off comes when it is due once callbacks stay away', async () => {
    const { rig, task, at } = await withTask(0);
    const outcome = await poll(task, { ...FIRST_RUN, runs: 2, remembered: { unasked: 1 } }, rig.ports);
    expect(outcome).toMatchObject({ kind: 'later', remember: { unasked: 2 } });
    expect(outcome.kind === 'later' && outcome.atMs).toBeLessThan(at(15_000));
  });

  test('finds a task that was not called back, and says so', async () => {
    const { rig, task, note } = await withTask(0.98);
    const late = { ...task, submittedAt: task.submittedAt - 40_000 };
    const completedAt = late.submittedAt + 12_000;
    expect(await poll(late, FIRST_RUN, answering(rig, { ...SUCCEEDED, completedAt }))).toEqual({ kind: 'done' });
    const { submittedAt } = late;
    expect(note.mock.calls).toEqual([[{ model: item.request.model, submittedAt, endedAt: completedAt }, false]]);
  });
});

describe('a poll that a callback has asked for', () => {
  test('while it waited for its slot finds a task that was called back', async () => {
    const { rig, task, note } = await withTask(0);
    await poll({ ...task, submittedAt: 0 }, { ...FIRST_RUN, calledSince: async () => true }, answering(rig, SUCCEEDED));
    expect(note.mock.calls.map(([, came]) => came)).toEqual([true]);
  });

  test('is never put off, and the task counts as called back', async () => {
    const { rig, task, note } = await withTask(0.98);
    expect(await poll(task, CALLED, answering(rig, SUCCEEDED))).toEqual({ kind: 'done' });
    expect(note.mock.calls.map(([, came]) => came)).toEqual([true]);
  });

  test('and that finds the task running proves nothing: it is polled on as without callbacks', async () => {
    const { rig, task, note, at } = await withTask(0.98);
    const outcome = await poll(task, CALLED, answering(rig, GENERATING));
    expect(outcome).toMatchObject({ kind: 'later', remember: { calledEarly: true } });
    expect(outcome.kind === 'later' && outcome.atMs).toBeLessThan(at(15_000));
    const remembered = outcome.kind === 'later' && outcome.remember ? outcome.remember : {};
    expect(remembered).not.toHaveProperty('called');
    await poll(task, { ...FIRST_RUN, runs: 2, remembered }, answering(rig, SUCCEEDED));
    expect(note).not.toHaveBeenCalled();
  });

  test('and that nobody answers is still called for the next time', async () => {
    const { rig, task, note } = await withTask(0.98);
    const outcome = await poll(task, CALLED, answering(rig, UNREACHABLE));
    const remembered = outcome.kind === 'later' && outcome.remember ? outcome.remember : {};
    expect(remembered).toMatchObject({ called: true });
    await poll(task, { ...FIRST_RUN, runs: 2, remembered }, answering(rig, SUCCEEDED));
    expect(note.mock.calls.map(([, came]) => came)).toEqual([true]);
  });

  test('and that is refused for its rate comes again when the limiter lets it, and not seconds later', async () => {
    const { rig, task } = await withTask(0.98);
    const now = Date.now();
    rig.ports.now = () => now;
    const waits = [CALLED, FIRST_RUN].map(async (run) => {
      const late = { ...task, submittedAt: task.submittedAt - 40_000 };
      const outcome = await poll(late, run, answering(rig, TOO_EARLY));
      return outcome.kind === 'later' ? outcome.atMs - now : undefined;
    });
    const [called, other] = await Promise.all(waits);
    expect(called).toBeLessThan(500);
    expect(other).toBeGreaterThan(2_000);
  });

  test('hands the image on before Redis knows of the slot that was used, and of the callback that came', async () => {
    const { rig, task, note } = await withTask(0.98);
    const isArchiving = () => vi.waitFor(() => expect(rig.jobs.archives.has(item.id)).toBe(true));
    note.mockImplementation(isArchiving);
    const { take } = rig.ports.pollLimiter;
    const pollLimiter = { take: async (options: TakeOptions) => ({ ...(await take(options)), settle: isArchiving }) };
    expect(await poll(task, CALLED, { ...answering(rig, SUCCEEDED), pollLimiter })).toEqual({ kind: 'done' });
    expect(note).toHaveBeenCalledOnce();
  });

  test('and whose slot Redis cannot be told of throws that, once the image is handed on', async () => {
    const { rig, task } = await withTask(0.98);
    const { take } = rig.ports.pollLimiter;
    const settle = () => Promise.reject(new Crash('settle'));
    const pollLimiter = { take: async (options: TakeOptions) => ({ ...(await take(options)), settle }) };
    await expect(poll(task, CALLED, { ...answering(rig, SUCCEEDED), pollLimiter })).rejects.toThrow(Crash);
    expect(rig.jobs.archives.has(item.id)).toBe(true);
  });
});
