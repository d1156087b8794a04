import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, vi } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { recordsIn } from '../../src/archive/records.ts';
import type { EnqueuePorts } from '../../src/batch/enqueue-items.ts';
import { redisBatchState } from '../../src/fleet/batch-state.ts';
import { noCallbacks } from '../../src/fleet/callbacks.ts';
import { redisDurations } from '../../src/fleet/durations.ts';
import { redisLimiter } from '../../src/fleet/limiter.ts';
import { redisSpending } from '../../src/fleet/spending.ts';
import type { Item } from '../../src/items/item.ts';
import type { ItemState } from '../../src/items/item-state.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { createLogger } from '../../src/logger.ts';
import { chargingRecords } from '../../src/money/charging-records.ts';
import { httpDownload } from '../../src/provider/download.ts';
import { fluxKontext } from '../../src/provider/kontext/flux-kontext.ts';
import { keysOf } from '../../src/redis/keys.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { claimLead } from '../../src/stages/claim-lead.ts';
import type { Ports, Run, StageSettings } from '../../src/stages/ports.ts';
import { unsentClaims } from '../../src/stages/withdraw-claim.ts';
import { openClosers } from '../../src/wiring/closers.ts';
import { TEST_PRICES } from '../services/prices.ts';
import { memoryQueues } from './memory-queues.ts';

export const BATCH = 'spring';
export const NEVER = new AbortController().signal;
export const FIRST_RUN: Run = { runs: 1, broken: 0, remembered: {}, note: async () => {}, signal: NEVER };

export type Rig = Awaited<ReturnType<typeof openRig>>;

/** Every port of the stages on real parts: a folder, Redis, the simulator over HTTP. Only the queues are maps in memory. */
export async function openRig(
  options: {
    simulator?: SimulatorOptions;
    settings?: Partial<StageSettings>;
    mostTasks?: number;
    redisUrl?: string;
  } = {},
) {
  const closers = openClosers();
  onTestFinished(() => closers.closeAll());
  const simulator = await startSimulator({
    medianMs: 0,
    sigma: 0,
    pictures: 'plain',
    imageSize: 64,
    imageBytes: 2_000,
    rate: { max: 1_000, windowMs: 1_000 },
    pollRate: { max: 1_000, windowMs: 1_000 },
    prices: TEST_PRICES,
    ...options.simulator,
  });
  closers.push(() => simulator.close());
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-stages-'));
  closers.push(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const redis = new Redis(options.redisUrl ?? inject('redisUrl'));
  closers.push(() => redis.disconnect());

  const prefix = `test:${randomUUID()}`;
  const keys = keysOf(prefix);
  const archive = folderArchive(folder);
  const prices = { date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: { 'flux-kontext-pro': 8 } };
  const spending = redisSpending(redis, keys);
  const records = chargingRecords(recordsIn(archive), prices, spending.record);
  const ended: string[] = [];
  const state = redisBatchState(redis, keys, async (batch) => {
    ended.push(batch);
  });
  const provider = fluxKontext({
    apiUrl: simulator.url,
    apiKey: simulator.apiKey,
    userAgent: 'flux-batch/0.0.0-test',
    connectTimeoutMs: 5_000,
    submitTimeoutMs: 10_000,
    pollTimeoutMs: 10_000,
    connections: 16,
  });
  closers.push(() => provider.close());
  const downloads = httpDownload({
    allow: ['127.0.0.1'],
    userAgent: 'flux-batch/0.0.0-test',
    maxRedirects: 3,
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: 20_000,
  });
  closers.push(() => downloads.close());

  const jobs = memoryQueues();
  const rate = { max: 1_000, windowMs: 1_000 };
  const running = { most: options.mostTasks ?? 0, lists: [`${prefix}:running`], sortedSets: [] };
  const settings: StageSettings = {
    onUnknown: 'hold',
    submitTimeoutMs: 60_000,
    pollGiveUpMs: 900_000,
    unknownTaskGraceMs: 60_000,
    storedTtlMs: 14 * 86_400_000,
    generationRetries: 0,
    originTtlMs: 600_000,
    embed: false,
    creditsOf: () => 8,
    ...options.settings,
  };
  const ports = {
    now: Date.now,
    log: createLogger('silent'),
    provider,
    download: downloads.download,
    stream: downloads.stream,
    archive,
    records,
    state,
    forward: jobs.forward,
    submitLimiter: redisLimiter(redis, keys, { name: 'submit', rate, requestTimeoutMs: 10_000, running }),
    pollLimiter: redisLimiter(redis, keys, { name: 'poll', rate, requestTimeoutMs: 10_000 }),
    claimLead: claimLead(),
    unsentClaims: unsentClaims(),
    metrics: { observe: () => {}, countCallback: () => {}, count: () => {} },
    faults: { note: () => {}, clear: () => {} },
    durations: redisDurations(redis, keys),
    callbacks: noCallbacks,
    settings,
  } satisfies Ports;
  const enqueuePorts: EnqueuePorts = {
    now: Date.now,
    records,
    intake: state.intake,
    keepCharges: spending.keep,
    queues: jobs.bulk,
    settings: { onUnknown: settings.onUnknown, pollGiveUpMs: settings.pollGiveUpMs, storedTtlMs: settings.storedTtlMs },
  };

  await state.intake.open(BATCH, { archive: archive.url, api: simulator.url, digest: 'digest' });

  return {
    simulator,
    redis,
    keys,
    archive,
    records,
    state,
    ports,
    enqueuePorts,
    jobs,
    ended,
    /** What counts as running at the provider, besides the submits under way. */
    runningList: `${prefix}:running`,
    /** Until so many wait for their slot at the submit limiter. */
    untilReserved: (count: number) =>
      vi.waitFor(async () => expect(await redis.zcard(keys.limiter('submit', 'reserved'))).toBe(count)),
    untilRecord: (item: { id: string }, wanted: ItemRecord['state']) =>
      vi.waitFor(async () => expect((await records.read(BATCH, item.id))?.state).toBe(wanted)),
    untilEnded: (taskId: string) =>
      vi.waitFor(() => {
        const task = simulator.ledger().taskLog.find((seen) => seen.taskId === taskId);
        expect(task?.endedAt ?? null).not.toBeNull();
      }),
    tasks: () => simulator.ledger().tasks.accepted,
    recordOf: (item: { id: string }) => records.read(BATCH, item.id),
    stateOf: async (item: { id: string }) => (await state.intake.states(BATCH, [item.id]))[0],
    /** Makes one item known to Redis, as enqueuing it does. */
    admit: (item: { id: string }, to: ItemState = 'queued') =>
      state.intake.admit(BATCH, [{ id: item.id, was: undefined, to }]),
    put: (record: ItemRecord) => records.write(record),
    /** What a flush does to this test's share of Redis; the queues go with it. */
    async emptyRedis() {
      const ours = await redis.keys(`${prefix}:*`);
      if (ours.length > 0) await redis.del(...ours);
      jobs.clear();
    },
  };
}

export function itemNamed(name: string, more: Partial<Item> = {}): Item {
  return {
    batch: BATCH,
    id: `${name}-0123456789ab`,
    name,
    variant: 1,
    priority: 0,
    variables: {},
    request: { prompt: `A ${name}`, model: 'flux-kontext-pro', outputFormat: 'png' },
    queuedAt: Date.now(),
    ...more,
  };
}

type Common = Omit<Extract<ItemRecord, { state: 'queued' }>, 'state'>;

export function commonOf(item: Item, more: Partial<Common> = {}): Common {
  const { batch, id, name, variant, priority, variables, request, queuedAt } = item;
  const timings = { queued: new Date(queuedAt).toISOString() };
  return {
    version: 1,
    ...{ batch, id, name, variant, priority, variables, request },
    attempts: 0,
    earlierTaskIds: [],
    timings,
    ...more,
  };
}

/** A record whose claim or submit was made so long ago. */
export function sentAgo(item: Item, agoMs: number): Common {
  const common = commonOf(item, { attempts: 1 });
  return { ...common, timings: { ...common.timings, submitted: new Date(Date.now() - agoMs).toISOString() } };
}

/** The ports, with one call of one method going wrong the first time, as when the process is killed there. */
export function crashing<Port extends object, Method extends keyof Port & string>(
  port: Port,
  method: Method,
  when: 'before' | 'after',
  nth = 1,
): Port {
  let calls = 0;
  return new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (property !== method || typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        calls += 1;
        if (calls === nth && when === 'before') throw new Crash(method);
        const answer: unknown = await Reflect.apply(value, target, args);
        if (calls === nth) throw new Crash(method);
        return answer;
      };
    },
  });
}

export class Crash extends Error {
  constructor(method: string) {
    super(`killed at ${method}`);
  }
}
