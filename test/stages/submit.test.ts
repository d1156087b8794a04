import { describe, expect, test } from 'vitest';
import { submit } from '../../src/stages/submit.ts';
import { commonOf, FIRST_RUN, itemNamed, openRig } from './rig.ts';

const item = itemNamed('lighthouse');

async function openedRig(options: Parameters<typeof openRig>[0] = {}) {
  const rig = await openRig(options);
  await rig.admit(item);
  return rig;
}

describe('an accepted submit', () => {
  test('is recorded with its task id, handed on to poll, and counted', async () => {
    const rig = await openedRig();
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const [task] = rig.simulator.ledger().taskLog;
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task?.taskId, attempts: 1 });
    expect(await rig.stateOf(item)).toBe('submitted');
    expect(await rig.state.counts(item.batch)).toMatchObject({ submits: 1, credits: 8 });
    const job = rig.jobs.polls.get(item.id);
    expect(job?.data).toMatchObject({ taskId: task?.taskId, recorded: true, request: item.request });
    expect(job?.atMs).toBeGreaterThan(job?.data.submittedAt ?? 0);
    expect(task?.request).toEqual(item.request);
  });

  test('carries the callback URL of the deployment, which is not part of the record', async () => {
    const callbackUrlOf = () => 'https://example.com/hook';
    const rig = await openedRig({ settings: { callbackUrlOf } });
    await submit(item, FIRST_RUN, rig.ports);
    expect(rig.simulator.ledger().taskLog[0]?.request).toMatchObject({ callBackUrl: 'https://example.com/hook' });
    expect(JSON.stringify(await rig.recordOf(item))).not.toContain('example.com');
  });

  test('is claimed in the archive before the request goes out', async () => {
    const rig = await openedRig();
    const states: (string | undefined)[] = [];
    const provider: typeof rig.ports.provider = {
      ...rig.ports.provider,
      submit: async (request, options) => {
        states.push((await rig.recordOf(item))?.state);
        return rig.ports.provider.submit(request, options);
      },
    };
    await submit(item, FIRST_RUN, { ...rig.ports, provider });
    expect(states).toEqual(['claimed']);
  });
});

describe('a refused submit', () => {
  test.each([
    { code: 400, refusal: 'content-policy', failure: 'content-policy' },
    { code: 422, refusal: 'invalid-parameters', failure: 'invalid-parameters' },
    { code: 505, refusal: 'feature-disabled', failure: 'feature-disabled' },
  ] as const)('as $refusal ends the item', async ({ code, refusal, failure }) => {
    const rig = await openedRig();
    const provider = answering(rig, { kind: 'refused', refusal, code, message: 'no' });
    expect(await submit(item, FIRST_RUN, { ...rig.ports, provider })).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'failed', failure: { class: failure, code } });
    expect(await rig.stateOf(item)).toBe('failed');
    expect(rig.jobs.polls.size).toBe(0);
  });

  test.each(['401', '402', '455'] as const)('with %s stops the fleet and gives the item back unspent', async (name) => {
    const rig = await openedRig({ simulator: { faults: [{ name, times: 1 }] } });
    const outcome = await submit(item, FIRST_RUN, rig.ports);
    expect(outcome).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(await rig.stateOf(item)).toBe('queued');
    expect(await rig.state.breaker()).toBeDefined();

    expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(rig.simulator.ledger().submits.seen).toBe(1);

    await rig.state.resetBreaker();
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });

  test('for its rate comes again at once, without an attempt in its record, and pauses the fleet', async () => {
    const rig = await openedRig({ simulator: { faults: [{ name: '429-storm', times: 1 }] } });
    expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
    await submit(item, FIRST_RUN, rig.ports);
    const { at: first = 0 } = rig.simulator.ledger().submitLog[0] ?? {};
    const { at: second = 0 } = rig.simulator.ledger().submitLog[1] ?? {};
    expect(second - first).toBeGreaterThan(150);
    expect(rig.tasks()).toBe(1);
  });
});

describe('a provider that cannot be reached', () => {
  test('is waited for, however often the submit was not sent', async () => {
    const rig = await openedRig();
    const provider = answering(rig, { kind: 'not-sent', message: 'refused' });
    for (let tries = 0; tries < 25; tries++) {
      expect(await submit(item, FIRST_RUN, { ...rig.ports, provider })).toMatchObject({ kind: 'later' });
      expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
      await rig.state.resetBreaker();
    }
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });

  test('trips the breaker at the third submit in a row, with a reason of its own and a probe within a second', async () => {
    const rig = await openedRig();
    const provider = answering(rig, { kind: 'not-sent', message: 'ECONNREFUSED' });
    for (const tripped of [false, false, true]) {
      await submit(item, FIRST_RUN, { ...rig.ports, provider });
      expect((await rig.state.breaker()) !== undefined).toBe(tripped);
    }
    const breaker = await rig.state.breaker();
    expect(breaker).toMatchObject({ refusal: 'unreachable', message: 'ECONNREFUSED' });
    expect((breaker?.probeAt ?? 0) - (breaker?.since ?? 0)).toBe(1_000);
    expect((await rig.state.counts(item.batch))?.unsettled).toBe(0);
  });
});

describe('an unknown outcome', () => {
  const faults = ['no-task-id', 'empty-body', 'html-body', 'truncated-body', 'reset-after-accept', 'code-500'] as const;

  test.each(faults)('(%s) is held and never submitted again', async (name) => {
    const rig = await openedRig({ simulator: { faults: [{ name, times: 1, charged: true }] } });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'unknown-outcome' } });
    expect(await rig.stateOf(item)).toBe('held');
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });

  test('is submitted again where the user chose so', async () => {
    const rig = await openedRig({
      simulator: { faults: [{ name: 'no-task-id', times: 1 }] },
      settings: { onUnknown: 'resubmit' },
    });
    expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await rig.stateOf(item)).toBe('queued');
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', attempts: 2, unknownAttempts: 1 });
    expect(rig.tasks()).toBe(2);
  });

  test('twenty times is held all the same: each may have been charged', async () => {
    const rig = await openedRig({
      simulator: { faults: [{ name: 'no-task-id', times: 1 }] },
      settings: { onUnknown: 'resubmit' },
    });
    await rig.put({ ...commonOf(item, { attempts: 19, unknownAttempts: 19 }), state: 'queued' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', attempts: 20, unknownAttempts: 19 });
  });
});

describe('draining', () => {
  test('gives back an item that waits for its slot, untouched', async () => {
    const rig = await openedRig();
    const run = { ...FIRST_RUN, signal: AbortSignal.abort() };
    expect(await submit(item, run, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await rig.stateOf(item)).toBe('queued');
    expect(await rig.recordOf(item)).toBeUndefined();
    expect(rig.tasks()).toBe(0);
  });

  test('gives back an item whose claim is written already, as never sent', async () => {
    const rig = await openedRig();
    const draining = new AbortController();
    const records = {
      ...rig.records,
      create: async (...args: Parameters<typeof rig.records.create>) => {
        draining.abort();
        return rig.records.create(...args);
      },
    };
    const outcome = await submit(item, { ...FIRST_RUN, signal: draining.signal }, { ...rig.ports, records });
    expect(outcome).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(rig.tasks()).toBe(0);
  });
});

describe('a full house at the provider', () => {
  test('is waited out before the item is claimed in the archive, so that a crash meanwhile holds nothing', async () => {
    const rig = await openedRig({ mostTasks: 1 });
    await rig.redis.rpush(rig.runningList, 'a task');
    const draining = new AbortController();
    const waiting = submit(item, { ...FIRST_RUN, signal: draining.signal }, rig.ports);
    await rig.untilReserved(1);
    expect(await rig.recordOf(item)).toBeUndefined();
    await rig.redis.del(rig.runningList);
    expect(await waiting).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });
});

test('a submit whose handing on fails counts for the rate all the same', async () => {
  const rig = await openedRig();
  const forward = {
    ...rig.ports.forward,
    poll: async () => {
      throw new Error('no queue');
    },
  };
  await expect(submit(item, FIRST_RUN, { ...rig.ports, forward })).rejects.toThrow('no queue');
  expect(await rig.ports.submitLimiter.usage()).toMatchObject({ inWindow: 1, sent: 1 });
});

function answering(
  rig: Awaited<ReturnType<typeof openRig>>,
  outcome: Awaited<ReturnType<typeof rig.ports.provider.submit>>,
): typeof rig.ports.provider {
  return { ...rig.ports.provider, submit: async () => outcome };
}
