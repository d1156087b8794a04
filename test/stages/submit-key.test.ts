import { describe, expect, test } from 'vitest';
import { requeuedRecord } from '../../src/items/transitions.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { archive } from '../../src/stages/archive.ts';
import type { Ports, StageSettings } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { keyed } from '../provider/keyed/keyed.ts';
import { BATCH, Crash, crashing, FIRST_RUN, itemNamed, openRig } from './rig.ts';

// With an API that takes a key of ours, and may answer a submit with the result. No provider of today does.

const request = (model: string, prompt = 'A lighthouse') => ({ prompt, model, outputFormat: 'png' as const });
const item = itemNamed('lighthouse', { request: request('slow') });
const quick = itemNamed('pear', { request: request('quick') });

async function openedRig(simulator: SimulatorOptions = {}, settings: Partial<StageSettings> = {}) {
  const rig = await openRig({ simulator: { provider: 'keyed', ...simulator }, settings });
  const { url, apiKey } = rig.simulator;
  const times = { connectTimeoutMs: 5_000, submitTimeoutMs: 10_000, pollTimeoutMs: 10_000, connections: 4 };
  const provider = keyed({ apiUrl: url, apiKey, userAgent: 'flux-batch/0.0.0-test', ...times });
  await Promise.all([rig.admit(item), rig.admit(quick)]);
  const counts = async () => {
    const found = await rig.state.counts(BATCH);
    return { credits: found?.credits, unsettled: found?.unsettled };
  };
  return { ...rig, counts, ports: { ...rig.ports, provider } satisfies Ports };
}

/** The same ports, so much later. */
const later = (ports: Ports, ms: number): Ports => ({ ...ports, now: () => ports.now() + ms });

describe('a submit with a key of ours', () => {
  test.each(['reset-after-accept', 'empty-body', 'html-body', '500-http'] as const)(
    'whose answer is lost by %s is sent again with its key: one task, one charge, and nothing is held',
    async (name) => {
      const rig = await openedRig({ faults: [{ name, times: 1, charged: true }] });
      const lost = await submit(item, FIRST_RUN, rig.ports);
      expect(lost).toMatchObject({ kind: 'later', remember: { replays: 1 } });
      expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', submitKey: { unanswered: 1 } });
      expect(await rig.counts()).toEqual({ credits: 0, unsettled: 8 });
      const remembered = lost.kind === 'later' ? (lost.remember ?? {}) : {};
      expect(await submit(item, { ...FIRST_RUN, remembered }, rig.ports)).toEqual({ kind: 'done' });
      const record = await rig.recordOf(item);
      expect(record).toMatchObject({ state: 'submitted', price: 8 });
      expect(record?.unknownAttempts).toBeUndefined();
      expect(record?.submitKey).toBeUndefined();
      expect(rig.simulator.ledger()).toMatchObject({
        tasks: { accepted: 1 },
        submits: { byDecision: { accepted: 1, replayed: 1 } },
      });
      expect(await rig.counts()).toEqual({ credits: 2, unsettled: 0 });
    },
  );

  test('goes on within a budget that has room for one image only', async () => {
    const rig = await openedRig({ faults: [{ name: 'empty-body', times: 1 }] });
    await rig.spending.setBudget(BATCH, { all: 8 });
    const lost = await submit(item, FIRST_RUN, rig.ports);
    const remembered = lost.kind === 'later' ? (lost.remember ?? {}) : {};
    expect(await submit(item, { ...FIRST_RUN, remembered }, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.counts()).toEqual({ credits: 2, unsettled: 0 });
    expect(await submit(quick, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(rig.tasks()).toBe(1);
  });

  test('of a process that ended is sent again with its key, once its answer cannot come any more', async () => {
    const rig = await openedRig();
    const dying = { ...rig.ports, provider: crashing(rig.ports.provider, 'submit', 'after') };
    await expect(submit(item, FIRST_RUN, dying)).rejects.toThrow(Crash);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed', submitKey: { unanswered: 0 } });
    expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await submit(item, FIRST_RUN, later(rig.ports, 61_000))).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
    expect(rig.tasks()).toBe(1);
    expect(await rig.counts()).toEqual({ credits: 2, unsettled: 0 });
  });

  test('is held as any other when the provider may have forgotten the key', async () => {
    const rig = await openedRig();
    const dying = { ...rig.ports, provider: crashing(rig.ports.provider, 'submit', 'after') };
    await expect(submit(item, FIRST_RUN, dying)).rejects.toThrow(Crash);
    expect(await submit(item, FIRST_RUN, later(rig.ports, 3_600_000))).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'unknown-outcome' } });
    expect(rig.tasks()).toBe(1);
    expect(await rig.counts()).toEqual({ credits: 0, unsettled: 8 });
  });

  test('keeps its key, and its doubt, while its repetition is refused for the rate', async () => {
    const rig = await openedRig({ faults: [{ name: 'empty-body', times: 1 }] });
    await submit(item, FIRST_RUN, rig.ports);
    const key = (await rig.recordOf(item))?.submitKey;
    rig.simulator.setFaults([{ name: '429-storm', times: 1 }]);
    expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', submitKey: { key: key?.key, unanswered: 1 } });
    expect(await rig.counts()).toEqual({ credits: 0, unsettled: 8 });
  });

  test.each([
    ['the provider may have forgotten its key', (ports: Ports) => later(ports, 3_600_000)],
    ['its account is another', (ports: Ports) => ({ ...ports, settings: { ...ports.settings, lane: 'second' } })],
  ])('that waits to be sent again is held where %s', async (_, elsewhere) => {
    const rig = await openedRig({ faults: [{ name: 'empty-body', times: 1 }] });
    await submit(item, FIRST_RUN, rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', submitKey: { unanswered: 1 } });
    expect(await submit(item, FIRST_RUN, elsewhere(rig.ports))).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'unknown-outcome' } });
    expect(rig.tasks()).toBe(1);
    expect(await rig.counts()).toEqual({ credits: 0, unsettled: 8 });

    // A person's word.
    await rig.records.update(item.batch, item.id, (now) => now && requeuedRecord(now));
    await rig.state.move(item, 'queued');
    expect(await submit(item, FIRST_RUN, elsewhere(rig.ports))).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', unknownAttempts: 1 });
    expect(rig.tasks()).toBe(2);
  });

  test('has another key for another task', async () => {
    const rig = await openedRig({ faults: [{ name: 'flag-3', times: 1 }] }, { generationRetries: 1 });
    expect(await submit(quick, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
    expect(await submit(quick, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(2);
  });
});

describe('a submit that is answered with its result', () => {
  test('is archived without a poll, and costs what the answer says', async () => {
    const rig = await openedRig();
    expect(await submit(quick, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.stateOf(quick)).toBe('finished');
    expect(rig.jobs.polls.size).toBe(0);
    const job = rig.jobs.archives.get(quick.id)?.data;
    if (!job) throw new Error('Expected a job for the image');
    expect(await archive(job, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(quick)).toMatchObject({ state: 'archived', costs: { [job.taskId]: 3 } });
    expect(rig.simulator.ledger()).toMatchObject({ polls: 0, tasks: { success: 1 } });
  });

  test('that failed has failed, and is free where the answer says so', async () => {
    const rig = await openedRig();
    const censored = itemNamed('censored', { request: request('quick', 'A censored garden') });
    await rig.admit(censored);
    expect(await submit(censored, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(censored)).toMatchObject({ state: 'failed', failure: { class: 'content-policy' } });
    expect(await rig.stateOf(censored)).toBe('failed');
    expect((await rig.counts()).credits).toBe(0);
  });

  test.each(['before', 'after'] as const)('is asked for where its process ended %s it was handed on', async (when) => {
    const rig = await openedRig();
    const dying = { ...rig.ports, forward: crashing(rig.ports.forward, 'archive', when) };
    await expect(submit(quick, FIRST_RUN, dying)).rejects.toThrow(Crash);
    expect(await rig.recordOf(quick)).toMatchObject({ state: 'submitted' });
    expect(await submit(quick, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.jobs.polls.size).toBe(1);
    expect(rig.tasks()).toBe(1);
  });
});
