import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FluxError } from '../../src/errors.ts';
import { giveUp } from '../../src/stages/give-up.ts';
import type { Limiter, Ports } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { unsentClaims } from '../../src/stages/withdraw-claim.ts';
import { startRedis } from '../services/redis.ts';
import { Crash, commonOf, crashing, FIRST_RUN, itemNamed, openRig, type Rig, sentAgo } from './rig.ts';

const item = itemNamed('lighthouse');
const MINUTE_MS = 60_000;

async function openedRig(options: Parameters<typeof openRig>[0] = {}) {
  const rig = await openRig(options);
  await rig.admit(item);
  return rig;
}

/** The next run submits at once, as if there had been no claim before. */
async function expectSubmittedNext(rig: Rig, ports: Ports = rig.ports) {
  expect(await submit(item, FIRST_RUN, ports)).toEqual({ kind: 'done' });
  expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', attempts: 1 });
  expect(await rig.recordOf(item)).not.toHaveProperty('unknownAttempts');
  expect(rig.tasks()).toBe(1);
}

const unreachable = () => new FluxError('archive-unreachable', 'The archive did not answer in time');

describe('a claim is given back', () => {
  const points: Record<string, (rig: Rig) => Partial<Ports>> = {
    'its record was stored, and Redis did not take its charge': (rig) => ({
      records: crashing(rig.records, 'create', 'after'),
    }),
    'its slot is lost': (rig) => ({ submitLimiter: losingSlots(rig) }),
    'it cannot be confirmed': (rig) => ({ state: crashing(rig.state, 'confirm', 'before', 2) }),
    'the request cannot be made': (rig) => ({ provider: crashing(rig.ports.provider, 'submit', 'before') }),
    'its slot is lost, and giving it back fails at first': (rig) => ({
      submitLimiter: losingSlots(rig),
      records: crashing(rig.records, 'update', 'before'),
    }),
    'its slot is lost, and its state stays behind': (rig) => ({
      submitLimiter: losingSlots(rig),
      state: crashing(rig.state, 'move', 'before'),
    }),
  };

  test.each(Object.entries(points))('when %s', async (_, broken) => {
    const rig = await openedRig();
    const isConfirmedAgain = broken === points['it cannot be confirmed'];
    if (isConfirmedAgain) await rig.put({ ...commonOf(item), state: 'queued' });
    await expect(submit(item, FIRST_RUN, { ...rig.ports, ...broken(rig) })).rejects.toThrow(Crash);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(rig.simulator.ledger().submits.seen).toBe(0);
    await expectSubmittedNext(rig);
  });

  test('when Redis takes no writes from then on, and the item is submitted when it does again', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const rig = await openedRig({ redisUrl: server.url });
    await rig.put({ ...commonOf(item), state: 'queued' });
    const person = new Redis(server.url);
    onTestFinished(() => person.disconnect());
    const update: Ports['records']['update'] = async (batch, id, change, known) => {
      if (change(known)?.state === 'claimed') await person.config('SET', 'min-replicas-to-write', '1');
      return rig.records.update(batch, id, change, known);
    };
    await expect(submit(item, FIRST_RUN, { ...rig.ports, records: { ...rig.records, update } })).rejects.toThrow(
      'NOREPLICAS',
    );
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
    await person.config('SET', 'min-replicas-to-write', '0');
    await expectSubmittedNext(rig);
  });

  test('when its submit was refused for all, and Redis does not hear of it', async () => {
    const rig = await openedRig({ simulator: { faults: [{ name: '402', times: 1 }] } });
    const state = crashing(rig.state, 'tripBreaker', 'before');
    await expect(submit(item, FIRST_RUN, { ...rig.ports, state })).rejects.toThrow(Crash);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
    await expectSubmittedNext(rig);
  });
});

describe('a claim that was stored though its write timed out, in an archive that is away for a while', () => {
  async function interrupted() {
    const rig = await openedRig();
    let isAway = false;
    const away = async () => {
      if (isAway) throw unreachable();
    };
    const records: Ports['records'] = {
      ...rig.records,
      read: async (...args) => away().then(() => rig.records.read(...args)),
      async create(record) {
        await rig.records.create(record);
        isAway = true;
        throw unreachable();
      },
    };
    await expect(submit(item, FIRST_RUN, { ...rig.ports, records })).rejects.toThrow('in time');
    expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed' });
    return rig;
  }

  test('is known by this process not to have been sent, and submitted without a wait', async () => {
    await expectSubmittedNext(await interrupted());
  });

  test('is not held when the process gives up', async () => {
    const rig = await interrupted();
    await giveUp(item, unreachable(), 'submit', rig.ports);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'failed', failure: { class: 'internal' } });
  });

  test('is held by another process, which cannot know, and does not say that it was on its way', async () => {
    const rig = await interrupted();
    const other = { ...rig.ports, unsentClaims: unsentClaims() };
    expect(await submit(item, FIRST_RUN, other)).toMatchObject({ kind: 'later' });
    const later = { ...other, now: () => Date.now() + 2 * MINUTE_MS };
    expect(await submit(item, FIRST_RUN, later)).toEqual({ kind: 'done' });
    expect(await rig.recordOf(item)).toMatchObject({
      state: 'held',
      failure: { message: expect.stringContaining('before or after') },
    });
    expect(rig.tasks()).toBe(0);
  });
});

test('what another process has claimed meanwhile is left alone', async () => {
  const rig = await openedRig();
  const records: Ports['records'] = {
    ...rig.records,
    async create() {
      await rig.put({ ...sentAgo(item, 1_000), state: 'claimed' });
      throw unreachable();
    },
  };
  await expect(submit(item, FIRST_RUN, { ...rig.ports, records })).rejects.toThrow('in time');
  expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed' });
  expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
  expect(rig.tasks()).toBe(0);
});

test('a claim whose request went out is not given back, whatever fails after it', async () => {
  const rig = await openedRig();
  const provider = crashing(rig.ports.provider, 'submit', 'after');
  await expect(submit(item, FIRST_RUN, { ...rig.ports, provider })).rejects.toThrow(Crash);
  expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed' });
  expect(await submit(item, FIRST_RUN, rig.ports)).toMatchObject({ kind: 'later' });
  expect(rig.tasks()).toBe(1);
});

/** Slots that are lost after the claim, as when Redis fails while one waits. */
function losingSlots({ ports }: Rig): Limiter {
  return {
    take: async (options) => crashing(await ports.submitLimiter.take(options), 'ready', 'before'),
  };
}
