import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { hasEnded } from '../../src/batch/counts.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { loadConfig, type Overrides } from '../../src/config.ts';
import type { Item } from '../../src/items/item.ts';
import { itemId } from '../../src/items/item-id.ts';
import { startServer } from '../../src/server/server.ts';
import { openServing } from '../../src/server/serving.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { type Connections, connect } from '../../src/wiring/connections.ts';
import { WORKER_STAGES } from '../../src/wiring/fleet.ts';
import { openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { startRedis } from '../services/redis.ts';

const QUICK: SimulatorOptions = {
  timeScale: 0.05,
  rate: { max: 10_000, windowMs: 1_000 },
  pollRate: { max: 10_000, windowMs: 1_000 },
  maxTasks: 10_000,
  pictures: 'plain',
  imageSize: 64,
  imageBytes: 2_000,
};

/** A Redis, an archive folder, a simulator and a server of this test's own; workers come by `addWorkers`. */
export async function startDeployment(
  options: {
    simulator?: SimulatorOptions;
    config?: Overrides;
    /** What only the simulator's address and key make known. */
    configOf?: (apiUrl: string, apiKey: string) => Overrides;
    callbackPort?: number;
  } = {},
) {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-serve-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const simulator = await startSimulator({ ...QUICK, prices: TEST_PRICES, ...options.simulator });
  onTestFinished(() => simulator.close());
  const overrides: Overrides = {
    FLUX_API_KEY: simulator.apiKey,
    ...WITH_TEST_PRICES,
    FLUX_API_URL: simulator.url,
    FLUX_RATE_LIMIT: '10000/1s',
    FLUX_POLL_LIMIT: '10000/1s',
    FLUX_MAX_TASKS: '10000',
    REDIS_URL: redis.url,
    ARCHIVE_URL: folder,
    LOG_LEVEL: 'silent',
    ...options.config,
    ...options.configOf?.(simulator.url, simulator.apiKey),
  };
  const open = async (patient: boolean, more: Overrides = {}) => {
    const connections = await connect(loadConfig({ ...overrides, ...more }), { patient, prove: false });
    onTestFinished(() => connections.closers.closeAll());
    return connections;
  };
  const connections = await open(false);
  const serving = await openServing(connections);
  const server = await startServer(serving, { host: '127.0.0.1', port: 0, callbackPort: options.callbackPort });
  connections.closers.push(() => server.close());

  return {
    redis,
    simulator,
    serving,
    connections,
    folder,
    url: server.url,
    callbackUrl: server.callbackUrl ?? server.url,
    open,
    async addWorkers(stages: readonly (typeof WORKER_STAGES)[number][] = WORKER_STAGES, more: Overrides = {}) {
      const own = await open(true, { FLUX_CALLBACK_URL: server.url, ...more });
      const ports = await openPorts(own);
      const fleet = startFleet(own, ports, { stages, onTrouble: () => {} });
      own.closers.push(async () => {
        await fleet.drain();
      });
      return { fleet, ports, connections: own };
    },
    enqueue: (batch: string, items: readonly Omit<Item, 'queuedAt'>[]) =>
      enqueueManifest(connections, { batch, digest: 'd' }, each(items)),
    ended: (batch: string) => batchEnded(connections, batch),
  };
}
export type Deployment = Awaited<ReturnType<typeof startDeployment>>;

export function itemsOf(batch: string, count: number, prompt = 'a pear'): Omit<Item, 'queuedAt'>[] {
  return Array.from({ length: count }, (_, index) => {
    const request = { prompt: `${prompt} ${index}`, model: 'flux-kontext-pro', outputFormat: 'png' } as const;
    const id = itemId('pear', request, 1);
    return { batch, id, name: `pear ${index}`, variant: 1, priority: 0, variables: {}, request };
  });
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function batchEnded({ state }: Connections, batch: string) {
  return vi.waitFor(
    async () => {
      const counts = await state.counts(batch);
      if (!counts || !hasEnded(counts)) throw new Error(`not ended: ${JSON.stringify(counts?.items)}`);
      return counts;
    },
    { interval: 50 },
  );
}
