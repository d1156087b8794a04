import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { type BatchCounts, hasEnded } from '../../src/batch/counts.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type Connections, connect } from '../../src/wiring/connections.ts';
import { type Fleet, WORKER_STAGES, type WorkerStage } from '../../src/wiring/fleet.ts';
import { type OpenedPorts, openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';

const QUICK: SimulatorOptions = {
  timeScale: 0.01,
  rate: { max: 100_000, windowMs: 1_000 },
  pollRate: { max: 100_000, windowMs: 1_000 },
  maxTasks: 10_000,
  pictures: 'plain',
  imageSize: 64,
  imageBytes: 1_000,
};

export type Crew = {
  redis: TestRedis;
  simulator: Simulator;
  config: Config;
  connections: Connections;
  /** What a command line process needs to act on the same. */
  env: Record<string, string>;
  /** Enqueues jobs of these prompts, each of which is an item. */
  enqueue(batch: string, prompts: readonly string[]): Promise<void>;
  /** Starts workers; `change` may replace ports. They drain when the test ends. */
  work(options?: { stages?: readonly WorkerStage[]; change?: (ports: OpenedPorts) => OpenedPorts }): Promise<Fleet>;
  counts(batch: string): Promise<BatchCounts>;
  until(batch: string, isSo: (counts: BatchCounts) => boolean): Promise<BatchCounts>;
  ended(batch: string): Promise<BatchCounts>;
};

type Options = { simulator?: SimulatorOptions; rate?: string; redisUrl?: string };

/** A Redis and a simulator of the test's own, and connections to both; all closed with the test. */
export async function startCrew(options: Options = {}): Promise<Crew> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-crew-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const simulator = await startSimulator({ ...QUICK, prices: TEST_PRICES, ...options.simulator });
  onTestFinished(() => simulator.close());

  const env = {
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ...WITH_TEST_PRICES,
    FLUX_RATE_LIMIT: options.rate ?? '50/500ms',
    FLUX_POLL_LIMIT: '1000/1s',
    FLUX_MAX_TASKS: '1000',
    REDIS_URL: options.redisUrl ?? redis.url,
    ARCHIVE_URL: join(folder, 'archive'),
    LOG_LEVEL: 'silent',
  };
  const config = loadConfig(env);
  const open = async () => {
    const connections = await connect(config, { patient: true, prove: false });
    onTestFinished(() => connections.closers.closeAll());
    return connections;
  };
  const connections = await open();

  const counts = async (batch: string) => {
    const found = await connections.state.counts(batch);
    if (!found) throw new Error(`no batch ${batch}`);
    return found;
  };
  const until = (batch: string, isSo: (counts: BatchCounts) => boolean) =>
    vi.waitFor(
      async () => {
        const now = await counts(batch);
        if (!isSo(now)) throw new Error(`not yet: ${JSON.stringify(now)}`);
        return now;
      },
      { interval: 20 },
    );
  return {
    redis,
    simulator,
    config,
    connections,
    env,
    counts,
    until,
    ended: (batch) => until(batch, (now) => hasEnded(now) && now.finishedVersion === now.version),
    async enqueue(batch, prompts) {
      const file = join(folder, `${batch}.yaml`);
      const jobs = prompts.map((prompt, index) => ({ id: `i${index}`, prompt }));
      await writeFile(file, JSON.stringify({ version: 1, batch, jobs }));
      const { manifest } = await openManifest(file);
      await enqueueManifest(connections, manifest, expand(manifest));
    },
    async work({ stages = WORKER_STAGES, change = (ports: OpenedPorts) => ports } = {}) {
      const own = await open();
      const fleet = startFleet(own, change(await openPorts(own)), { stages, onTrouble: () => {} });
      onTestFinished(async () => {
        await fleet.drain(10_000);
      });
      return fleet;
    },
  };
}

/**
 * When each request was let go, by the clock of its sender and just before the sender's last look at what was confirmed. When it
 * arrives, and is seen there, is up to the machine.
 */
export function departures() {
  const at: number[] = [];
  const change = (ports: OpenedPorts): OpenedPorts => ({
    ...ports,
    provider: {
      ...ports.provider,
      submit: (request, options) =>
        ports.provider.submit(request, {
          ...options,
          onSent() {
            const now = Date.now();
            options?.onSent?.();
            at.push(now);
          },
        }),
    },
  });
  return { change, after: (atMs: number) => at.filter((sent) => sent > atMs).length };
}

export function pictures(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `picture ${index}`);
}

/** No request has more than one task. */
export function repeated(simulator: Simulator): number {
  return simulator.ledger().repeatedRequests.length;
}

/** A promise that somebody else resolves. */
export function latch(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
