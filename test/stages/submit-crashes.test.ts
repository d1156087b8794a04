import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { poll } from '../../src/stages/poll.ts';
import type { Ports } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, Crash, commonOf, crashing, FIRST_RUN, itemNamed, openRig, sentAgo } from './rig.ts';

const item = itemNamed('lighthouse');
const MINUTE_MS = 60_000;

async function openedRig(options: Parameters<typeof openRig>[0] = {}) {
  const rig = await openRig(options);
  await rig.admit(item);
  return rig;
}

/** The same ports, so much later. */
const later = (ports: Ports, ms: number): Ports => ({ ...ports, now: () => ports.now() + ms });

describe('a record found at the start', () => {
  test('submitted: goes straight to poll, with a full time of asking', async () => {
    const rig = await openedRig();
    await rig.put({ ...sentAgo(item, 100 * MINUTE_MS), state: 'submitted', taskId: 'task-1' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const job = rig.jobs.polls.get(item.id)?.data;
    expect(job).toMatchObject({ taskId: 'task-1', recorded: true });
    expect((job?.giveUpAt ?? 0) - Date.now()).toBeGreaterThan(5 * MINUTE_MS);
    expect(await rig.stateOf(item)).toBe('submitted');
    expect(rig.simulator.ledger().submits.seen).toBe(0);
  });

  test.each(['failed', 'held'] as const)('%s: only the state is put right', async (state) => {
    const rig = await openedRig();
    await rig.put({ ...sentAgo(item, 1), state, failure: { class: 'unknown-outcome', message: 'who knows' } });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.stateOf(item)).toBe(state);
    expect(rig.simulator.ledger().submits.seen).toBe(0);
  });

  test('archived: only the state is put right', async () => {
    const rig = await openedRig();
    await rig.put({
      ...{ ...sentAgo(item, 1), state: 'archived', taskId: 'task-1', image: 'i', thumb: 't', source: 'origin' },
      ...{ bytes: 1, width: 1, height: 1, contentType: 'image/png', sha256: 'x' },
    });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.stateOf(item)).toBe('archived');
    expect(rig.simulator.ledger().submits.seen).toBe(0);
  });

  test('queued: is submitted, and keeps what was spent before', async () => {
    const rig = await openedRig();
    await rig.put({ ...commonOf(item, { attempts: 1, earlierTaskIds: ['task-1'] }), state: 'queued' });
    await submit(item, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', attempts: 2, earlierTaskIds: ['task-1'] });
    expect(rig.tasks()).toBe(1);
  });

  test('claimed, and its answer may still come: is waited for, without touching anything', async () => {
    const rig = await openedRig();
    const claimed = sentAgo(item, 10_000);
    await rig.put({ ...claimed, state: 'claimed' });
    const outcome = await submit(item, FIRST_RUN, rig.ports);
    const answeredBy = Date.parse(claimed.timings.submitted ?? '') + rig.ports.settings.submitTimeoutMs;
    expect(outcome).toEqual({ kind: 'later', atMs: answeredBy });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed' });
    expect(await rig.stateOf(item)).toBe('queued');
  });

  test('claimed, and no answer can come any more: is held', async () => {
    const rig = await openedRig();
    await rig.put({ ...sentAgo(item, 2 * MINUTE_MS), state: 'claimed' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'unknown-outcome' } });
    expect(rig.simulator.ledger().submits.seen).toBe(0);
  });

  test('claimed long ago, where the user chose so: is submitted once more', async () => {
    const rig = await openedRig({ settings: { onUnknown: 'resubmit' } });
    await rig.put({ ...sentAgo(item, 2 * MINUTE_MS), state: 'claimed' });
    await submit(item, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', attempts: 2 });
    expect(rig.tasks()).toBe(1);
  });
});

describe('a process that dies', () => {
  test('after the claim in Redis leaves an item that the next run submits', async () => {
    const rig = await openedRig();
    const state = crashing(rig.state, 'claim', 'after');
    await expect(submit(item, FIRST_RUN, { ...rig.ports, state })).rejects.toThrow(Crash);
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });

  test('after the POST and before the record leaves an item that is held, and never submitted again', async () => {
    const rig = await openedRig();
    const provider = crashing(rig.ports.provider, 'submit', 'after');
    await expect(submit(item, FIRST_RUN, { ...rig.ports, provider })).rejects.toThrow(Crash);
    expect(rig.tasks()).toBe(1);

    expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await submit(item, FIRST_RUN, later(rig.ports, 2 * MINUTE_MS))).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held' });
    expect(await submit(item, FIRST_RUN, later(rig.ports, 3 * MINUTE_MS))).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });

  test('after the record and before the poll job leaves an item that the next run hands on', async () => {
    const rig = await openedRig();
    const forward = crashing(rig.ports.forward, 'poll', 'before');
    await expect(submit(item, FIRST_RUN, { ...rig.ports, forward })).rejects.toThrow(Crash);
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.jobs.polls.size).toBe(1);
    expect(rig.tasks()).toBe(1);
  });

  test('anywhere at all, once, never pays twice and never loses a task that was recorded', async () => {
    const points: { port: 'records' | 'state' | 'forward' | 'provider' | 'durations'; method: string }[] = [
      { port: 'records', method: 'read' },
      { port: 'records', method: 'create' },
      { port: 'records', method: 'update' },
      { port: 'state', method: 'claim' },
      { port: 'state', method: 'confirm' },
      { port: 'state', method: 'move' },
      { port: 'provider', method: 'submit' },
      { port: 'durations', method: 'sample' },
      { port: 'forward', method: 'poll' },
    ];
    const rig = await openRig();
    let runs = 0;
    const anywhere = fc.record({
      point: fc.constantFrom(...points),
      when: fc.constantFrom('before' as const, 'after' as const),
      nth: fc.integer({ min: 1, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ point, when, nth }) => {
        runs += 1;
        const one = itemNamed(`picture-${runs}`);
        await rig.admit(one);
        const before = rig.tasks();
        const broken = { ...rig.ports, [point.port]: anyCrashing(rig.ports[point.port], point.method, when, nth) };
        await submit(one, FIRST_RUN, broken).catch(() => {});
        for (const ms of [0, 2 * MINUTE_MS, 3 * MINUTE_MS]) await submit(one, FIRST_RUN, later(rig.ports, ms));

        const record = await rig.recordOf(one);
        expect(rig.tasks() - before).toBeLessThanOrEqual(1);
        expect(['submitted', 'held']).toContain(record?.state);
        expect(await rig.stateOf(one)).toBe(record?.state);
        expect(rig.jobs.polls.has(one.id)).toBe(record?.state === 'submitted');
        // Held only for what may have gone out.
        if (record?.state === 'held') expect(point.port).toMatch(/provider|records|state/);
      }),
      { numRuns: 60 },
    );
  });

  test('with a task that could not be recorded leaves a poll job that records it first of all', async () => {
    const rig = await openedRig();
    const records = {
      ...rig.records,
      update: async () => {
        throw new Error('archive away');
      },
    };
    expect(await submit(item, FIRST_RUN, { ...rig.ports, records })).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed' });
    const job = rig.jobs.polls.get(item.id)?.data;
    if (!job) throw new Error('Expected a poll job');
    expect(job.recorded).toBe(false);
    await poll(job, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: job.taskId });
  });
});

test('a task that fails before its submit has ended is not shown as running again', async () => {
  const rig = await openedRig({ simulator: { faults: [{ name: 'flag-3', times: 1 }] } });
  const forward = {
    ...rig.ports.forward,
    poll: async (...args: Parameters<typeof rig.ports.forward.poll>) => {
      await rig.untilEnded(args[0].taskId);
      await poll(args[0], FIRST_RUN, rig.ports);
    },
  };
  await submit(item, FIRST_RUN, { ...rig.ports, forward });
  expect(await rig.recordOf(item)).toMatchObject({ state: 'failed' });
  expect(await rig.stateOf(item)).toBe('failed');
  expect((await rig.state.counts(BATCH))?.submits).toBe(1);
});

function anyCrashing<Port extends object>(port: Port, method: string, when: 'before' | 'after', nth: number): Port {
  return crashing(port, method as keyof Port & string, when, nth);
}
