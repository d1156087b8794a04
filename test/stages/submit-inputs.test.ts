import { describe, expect, test } from 'vitest';
import { redisUploads } from '../../src/fleet/uploads.ts';
import { fluxKontext } from '../../src/provider/kontext/flux-kontext.ts';
import type { Ports, StageSettings } from '../../src/stages/ports.ts';
import { inputsOf } from '../../src/stages/send-inputs.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, commonOf, FIRST_RUN, itemNamed, openRig, sentAgo } from './rig.ts';

const reference = `inputs/${'0'.repeat(64)}.jpg`;
const item = itemNamed('lighthouse', {
  request: { prompt: 'A lighthouse', model: 'flux-kontext-pro', outputFormat: 'png', inputImage: reference },
});
const MINUTE_MS = 60_000;

/** With an account that pictures can be uploaded to; the archive has none of them. */
async function openedRig(settings: Partial<StageSettings> = {}) {
  const rig = await openRig({ settings });
  await rig.admit(item);
  const { url: apiUrl, apiKey } = rig.simulator;
  const times = { connectTimeoutMs: 5_000, submitTimeoutMs: 10_000, pollTimeoutMs: 10_000, connections: 4 };
  const provider = fluxKontext({ apiUrl, uploadUrl: apiUrl, apiKey, userAgent: 'flux-batch/0.0.0-test', ...times });
  const { archive, ports, redis, keys } = rig;
  const inputs = inputsOf({
    ...ports,
    archive,
    provider,
    uploads: redisUploads(redis, keys, 'account'),
    settings: { urls: 'auto', urlLifeMs: 10 * MINUTE_MS, isReachable: () => false },
  });
  return { ...rig, ports: { ...ports, provider, inputs } satisfies Ports, close: () => provider.close() };
}

describe('an item whose picture is not in the archive any more', () => {
  test('fails, and is told what to do', async () => {
    const rig = await openedRig();
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({
      state: 'failed',
      failure: {
        class: 'invalid-parameters',
        message: `Its picture ${reference} is not in the archive any more: enqueue its manifest again, which stores it; then retry`,
      },
    });
    expect(await rig.stateOf(item)).toBe('failed');
    await rig.close();
  });

  test('is held where an earlier submit was never answered, whatever is done with such: it may have been charged', async () => {
    const rig = await openedRig({ onUnknown: 'resubmit' });
    await rig.put({ ...sentAgo(item, 2 * MINUTE_MS), state: 'claimed' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    const record = await rig.recordOf(item);
    expect(record).toMatchObject({ state: 'held', attempts: 1, failure: { class: 'unknown-outcome' } });
    expect(record?.state === 'held' && record.failure.message).toBe(
      `It is unknown whether an earlier submit started a task (and was charged), and it cannot be submitted again. Its picture ${reference} is not in the archive any more: enqueue its manifest again, which stores it; then decide by held: resubmit or drop`,
    );
    expect(await rig.stateOf(item)).toBe('held');
    expect(await rig.state.counts(BATCH)).toMatchObject({ credits: 0, unsettled: 8 });
    await rig.close();
  });

  test('is held where a key of an earlier submit was not answered', async () => {
    const rig = await openedRig({ onUnknown: 'resubmit' });
    const submitKey = { key: 'k', since: new Date().toISOString(), unanswered: 1 };
    await rig.put({ ...commonOf(item, { attempts: 1 }), submitKey, state: 'queued' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', submitKey, failure: { class: 'unknown-outcome' } });
    expect(await rig.state.counts(BATCH)).toMatchObject({ credits: 0, unsettled: 8 });
    await rig.close();
  });

  test('keeps what earlier submits may have cost', async () => {
    const rig = await openedRig({ onUnknown: 'resubmit' });
    await rig.put({ ...commonOf(item, { attempts: 1 }), unknownAttempts: 1, state: 'queued' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'failed', unknownAttempts: 1 });
    await rig.close();
  });
});
