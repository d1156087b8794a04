import { Queue } from 'bullmq';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { OpenedPorts } from '../../src/wiring/stage-ports.ts';
import { latch } from '../batch/crew.ts';
import { openRig, prompts, type Rig } from '../batch/rig.ts';

/** So many look at the gate at once, in each of two processes. */
const SUBMITTERS = 4;
const twoWorkers = (rig: Rig, change?: (ports: OpenedPorts) => OpenedPorts) => {
  const work = () => rig.work({ concurrency: { submit: SUBMITTERS }, ...(change && { change }) });
  return Promise.all([work(), work()]);
};

/** No task is seen to end before `open` is called, however long the rest takes. */
function heldPolls() {
  const { opened, open } = latch();
  onTestFinished(() => open());
  const change = (ports: OpenedPorts): OpenedPorts => ({
    ...ports,
    provider: {
      ...ports.provider,
      async poll(handle, options) {
        await opened;
        return ports.provider.poll(handle, options);
      },
    },
  });
  return { change, open };
}

/** Until nothing is under way: what is not submitted yet waits, and everything else has ended. */
async function untilStill(rig: Rig): Promise<void> {
  const { queues } = rig.connections;
  await vi.waitFor(
    async () => {
      const { items } = await rig.counts();
      const { waiting = 0, delayed = 0, active = 0 } = (await queues.depths()).submit;
      expect(items.submitted + items.finished + items.submitting).toBe(0);
      expect({ waiting: waiting + delayed, active }).toEqual({ waiting: items.queued, active: 0 });
    },
    { interval: 10 },
  );
}

/** Until the workers, of which each looks with one item at a time, have looked some times more. */
async function untilLookedAgain(rig: Rig): Promise<void> {
  const queue = new Queue('submit', { connection: rig.connections.redis, prefix: rig.connections.prefix });
  const looks = async () => {
    const jobs = await queue.getJobs(['waiting', 'prioritized', 'delayed', 'active']);
    return jobs.reduce((sum, job) => sum + job.attemptsStarted, 0);
  };
  const before = await looks();
  await vi.waitFor(async () => expect(await looks()).toBeGreaterThanOrEqual(before + 4), { interval: 50 });
  await queue.close();
}

/** From now on a submit probes only when the test permits it. */
async function holdProbes({ connections: { state, redis, keys } }: Rig): Promise<void> {
  await state.isMyProbe(3_600_000);
  const probeAt = Date.now() + 3_600_000;
  if ((await state.breaker())?.probeAt !== undefined) await redis.hset(keys.breaker, { probeAt, wait: 3_600_000 });
}

describe.each([
  { fault: '401', refusal: 'unauthorized' },
  { fault: '402', refusal: 'out-of-credits' },
  { fault: '455', refusal: 'maintenance' },
] as const)('after a $fault', ({ fault, refusal }) => {
  test('the whole fleet stops submitting, and what runs is still archived', async () => {
    const rig = await openRig();
    await rig.enqueue(await rig.manifest(prompts(6)));
    const polls = heldPolls();
    await twoWorkers(rig, polls.change);
    await rig.until(({ items }) => items.submitted === 6);

    rig.simulator.setFaults([{ name: fault, share: 1 }]);
    await rig.enqueue(await rig.manifest(prompts(40)));
    await rig.connections.state.isMyProbe(3_600_000);
    await vi.waitFor(async () => expect(await rig.connections.state.breaker()).toMatchObject({ refusal }));
    await holdProbes(rig);
    expect((await rig.counts()).items.submitted).toBe(6);
    polls.open();
    await rig.until(({ items }) => items.archived === 6);
    await untilStill(rig);
    // Only those that were on their way when the first was refused.
    const refused = rig.submits() - 6;
    expect(refused).toBeLessThanOrEqual(2 * SUBMITTERS);
    expect((await rig.counts()).items).toMatchObject({ archived: 6, queued: 34, failed: 0, held: 0 });
    expect((await rig.counts()).unsettled).toBe(0);
    // Not even when the provider would take them again.
    rig.simulator.setFaults([]);
    await untilLookedAgain(rig);
    expect(rig.submits() - 6).toBe(refused);
  });

  test('single submits probe, each when it is permitted, until one gets through and lets all go on', async () => {
    const rig = await openRig({ simulator: { faults: [{ name: fault, share: 1 }] } });
    const { state } = rig.connections;
    await rig.enqueue(await rig.manifest(prompts(12)));
    await twoWorkers(rig);
    await state.isMyProbe(3_600_000);
    await vi.waitFor(async () => expect(await state.breaker()).toBeDefined());
    await holdProbes(rig);
    await untilStill(rig);
    for (let probe = 0; probe < 3; probe++) {
      const before = rig.submits();
      await state.allowProbe();
      await vi.waitFor(() => expect(rig.submits()).toBe(before + 1));
      await untilStill(rig);
      expect(rig.submits()).toBe(before + 1);
      expect(await state.breaker()).toMatchObject({ refusal });
    }
    rig.simulator.setFaults([]);
    await state.allowProbe();
    expect((await rig.ended()).items.archived).toBe(12);
    expect(await state.breaker()).toBeUndefined();
  });
});

test('an account without credits stops the run with 3 and its reason, and nothing else is wrong with the items', async () => {
  const rig = await openRig({ simulator: { credits: 30 } });
  const { code, stderr } = await rig.run(['run', await rig.manifest(prompts(8))]);
  expect(code).toBe(3);
  expect(stderr).toContain('submitting is stopped (out-of-credits)');
  expect(stderr).toContain('it lifts when the account has credits again');
  expect((await rig.counts()).items).toMatchObject({ archived: 3, queued: 5 });
  const status = await rig.run(['status']);
  expect(status.stdout).toContain('submitting is stopped (out-of-credits)');
  expect(status.stdout).toContain('top it up');
  expect(status.stdout).toContain('flux-batch gate open');
});

test('a person opens the gate by hand', async () => {
  const rig = await openRig();
  const { state } = rig.connections;
  await state.tripBreaker({ refusal: 'not-found', message: 'no such path' });
  await rig.enqueue(await rig.manifest(prompts(3)));
  await rig.work();
  await untilStill(rig);
  expect(rig.submits()).toBe(0);
  expect((await rig.run(['gate'])).stderr).toContain('submitting is stopped (not-found)');
  const opened = await rig.run(['gate', 'open', '--json']);
  expect(JSON.parse(opened.stdout)).toMatchObject({ opened: true, gate: { refusal: 'not-found' } });
  expect((await rig.ended()).items.archived).toBe(3);
});

describe('unknown outcomes', () => {
  test('in a row stop submitting, and a submit that gets through lets it go on', async () => {
    const rig = await openRig({ simulator: { faults: [{ name: 'reset-after-accept', share: 1 }] } });
    const { state } = rig.connections;
    await rig.enqueue(await rig.manifest(prompts(24)));
    await twoWorkers(rig);
    await vi.waitFor(async () => expect(await state.breaker()).toMatchObject({ refusal: 'too-many-unknown' }));
    await holdProbes(rig);
    await untilStill(rig);
    const held = (await rig.counts()).items.held;
    expect(held).toBeGreaterThanOrEqual(5);
    expect(held).toBeLessThanOrEqual(5 + 2 * SUBMITTERS);
    expect(rig.submits()).toBe(held);

    rig.simulator.setFaults([]);
    await state.allowProbe();
    expect((await rig.ended()).items).toMatchObject({ archived: 24 - held, held });
  });

  test('that are few among many do not stop anything', async () => {
    const rig = await openRig();
    await rig.enqueue(await rig.manifest(prompts(40)));
    await rig.work({ concurrency: { submit: 2 } });
    await rig.ended();
    rig.simulator.setFaults([{ name: 'reset-after-accept', times: 6 }]);
    await rig.enqueue(await rig.manifest(prompts(60)));
    const end = await rig.ended();
    expect(end.items).toMatchObject({ archived: 54, held: 6 });
    expect(await rig.connections.state.breaker()).toBeUndefined();
  });
});
