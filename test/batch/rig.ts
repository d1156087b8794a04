import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished, vi } from 'vitest';
import { type BatchCounts, hasEnded } from '../../src/batch/counts.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { loadConfig } from '../../src/config.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { connect } from '../../src/wiring/connections.ts';
import { type Fleet, type FleetOptions, WORKER_STAGES } from '../../src/wiring/fleet.ts';
import { type OpenedPorts, openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { COMMAND } from '../services/program.ts';
import { startRedis } from '../services/redis.ts';

export const BATCH = 'spring';
export const QUICK: SimulatorOptions = {
  medianMs: 50,
  rate: { max: 10_000, windowMs: 1_000 },
  pollRate: { max: 10_000, windowMs: 1_000 },
  maxTasks: 10_000,
  pictures: 'plain',
  imageSize: 64,
  imageBytes: 1_000,
};

type Work = Partial<FleetOptions> & { change?: (ports: OpenedPorts) => OpenedPorts };
export type Rig = Awaited<ReturnType<typeof openRig>>;

/** A Redis, an archive and a provider of the test's own. The provider's ledger is the judge of what was charged. */
export async function openRig(options: { simulator?: SimulatorOptions; env?: Record<string, string> } = {}) {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-money-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const simulator = await startSimulator({ ...QUICK, prices: TEST_PRICES, ...options.simulator });
  onTestFinished(() => simulator.close());
  const env = {
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ...WITH_TEST_PRICES,
    FLUX_RATE_LIMIT: '400/1s',
    FLUX_POLL_LIMIT: '400/1s',
    FLUX_MAX_TASKS: '1000',
    REDIS_URL: redis.url,
    ARCHIVE_URL: join(folder, 'archive'),
    ...options.env,
  };
  const open = async (more: Record<string, string> = {}) => {
    const connections = await connect(loadConfig({ ...env, ...more }), { patient: true, prove: false });
    onTestFinished(() => connections.closers.closeAll());
    return connections;
  };
  const connections = await open();
  const counts = async () => {
    const found = await connections.state.counts(BATCH);
    if (!found) throw new Error('Expected Redis to know the batch');
    return found;
  };
  const until = (isSo: (counts: BatchCounts) => boolean) =>
    vi.waitFor(
      async () => {
        const now = await counts();
        if (!isSo(now)) throw new Error(`not yet: ${JSON.stringify(now)}`);
        return now;
      },
      { interval: 25 },
    );

  const manifestOf = async (jobs: readonly object[]) => {
    const file = join(folder, 'jobs.yaml');
    await writeFile(file, JSON.stringify({ version: 1, batch: BATCH, jobs }));
    return file;
  };
  const manifest = (prompts: readonly string[], model = 'flux-kontext-pro') =>
    manifestOf(prompts.map((prompt, index) => ({ id: `item-${index}`, prompt, model })));
  return {
    simulator,
    connections,
    counts,
    until,
    ended: () => until((now) => hasEnded(now) && now.finishedVersion === now.version),
    manifest,
    manifestOf,
    /** As `enqueue --budget` does it. */
    async enqueue(file: string, budget?: number) {
      const own = await open(budget === undefined ? {} : { BUDGET_CREDITS: String(budget) });
      const { manifest } = await openManifest(file);
      return enqueueManifest(own, manifest, expand(manifest));
    },
    /** One more process of the fleet, but for the process: it has connections and ports of its own. */
    async work({ change = (ports) => ports, ...options }: Work = {}): Promise<Fleet> {
      const own = await open();
      const ports = change(await openPorts(own));
      const fleet = startFleet(own, ports, { stages: WORKER_STAGES, onTrouble: () => {}, ...options });
      onTestFinished(async () => {
        await fleet.drain(20_000);
      });
      return fleet;
    },
    flush: () => connections.redis.flushall(),
    submits: () => simulator.ledger().submits.seen,
    charged: () => simulator.ledger().credits.charged,
    /** The command line as a process of its own; nobody is at its terminal. */
    async run(args: readonly string[], more: Record<string, string> = {}) {
      const child = spawn(process.execPath, [...COMMAND, ...args], {
        cwd: folder,
        env: { PATH: process.env.PATH ?? '', HOME: folder, ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
      return { code, stdout, stderr };
    },
  };
}

export function prompts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `A lighthouse, number ${index}`);
}
