import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { hasEnded } from '../../src/batch/counts.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { loadConfig } from '../../src/config.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { connect } from '../../src/wiring/connections.ts';
import { WORKER_STAGES } from '../../src/wiring/fleet.ts';
import { openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';
import { BATCH, QUICK } from '../batch/rig.ts';
import { hostsOf, startFront } from '../services/front.ts';
import { startRedis } from '../services/redis.ts';

/** An account: its simulator, and what its lane says besides. */
export type LaneOf = {
  name: string;
  provider?: 'kie' | 'bfl';
  key: string;
  simulator?: SimulatorOptions;
  limits?: Record<string, unknown>;
};

/** A fleet with several accounts, each at a simulator of its own; those of kie are reached by one address. */
export async function startLanes(lanes: readonly LaneOf[], more: Record<string, string> = {}) {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-lanes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const simulators: Simulator[] = [];
  for (const { name, provider = 'kie', simulator } of lanes) {
    const started = await startSimulator({ ...QUICK, provider, apiKey: `key-of-${name}`, ...simulator });
    onTestFinished(() => started.close());
    simulators.push(started);
  }
  const of = (vendor: 'kie' | 'bfl') => simulators.filter((_, index) => (lanes[index]?.provider ?? 'kie') === vendor);
  const file = join(folder, 'lanes.yaml');
  const entries = lanes.map(({ name, provider = 'kie', key, limits }) => ({ name, provider, key, ...limits }));
  await writeFile(file, JSON.stringify({ lanes: entries }));
  // As the environment has them: a file of lanes names variables only.
  for (const { name, key } of lanes) vi.stubEnv(key, `key-of-${name}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const env: Record<string, string> = {
    FLUX_API_URL: await startFront(of('kie')),
    ...(of('bfl').length > 0 && { BFL_API_URL: await startFront(of('bfl')) }),
    FLUX_RATE_LIMIT: '400/1s',
    FLUX_POLL_LIMIT: '400/1s',
    FLUX_MAX_TASKS: '1000',
    FETCH_ALLOW: hostsOf(simulators),
    REDIS_URL: redis.url,
    ARCHIVE_URL: join(folder, 'archive'),
    LOG_LEVEL: 'silent',
    ...more,
  };
  const open = async (overrides: Record<string, string> = { FLUX_LANES: file }) => {
    const connections = await connect(loadConfig({ ...env, ...overrides }), { patient: true, prove: false });
    onTestFinished(() => connections.closers.closeAll());
    return connections;
  };
  const connections = await open();
  const counts = async () => connections.state.counts(BATCH);

  return {
    ...{ redis, simulators, connections, env, folder, file, open, counts },
    async enqueue(jobs: readonly object[], by = connections, batch = BATCH): Promise<void> {
      const manifest = join(folder, 'jobs.yaml');
      await writeFile(manifest, JSON.stringify({ version: 1, batch, jobs }));
      const opened = await openManifest(manifest);
      await enqueueManifest(by, opened.manifest, expand(opened.manifest));
    },
    async work(by = connections) {
      const fleet = startFleet(by, await openPorts(by), { stages: WORKER_STAGES, onTrouble: () => {} });
      onTestFinished(async () => void (await fleet.drain(20_000)));
      return fleet;
    },
    ended: () =>
      vi.waitFor(
        async () => {
          const now = await counts();
          if (!now || !hasEnded(now)) throw new Error(`not yet: ${JSON.stringify(now)}`);
          return now;
        },
        { interval: 50 },
      ),
    async records(): Promise<ItemRecord[]> {
      const found: ItemRecord[] = [];
      for await (const id of connections.records.list(BATCH)) {
        const record = await connections.records.read(BATCH, id);
        if (record) found.push(record);
      }
      return found;
    },
  };
}

/** Tasks that the simulator accepted. */
export function accepted(simulator: Simulator | undefined): string[] {
  return (simulator?.ledger().taskLog ?? []).map(({ taskId }) => taskId);
}

export function jobs(count: number, more: object = {}): object[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `item-${index}`,
    prompt: `A lighthouse, number ${index}`,
    ...more,
  }));
}
