import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import type { Archive } from '../../src/archive/archive.ts';
import { openArchive } from '../../src/archive/open.ts';
import { type BatchCounts, hasEnded } from '../../src/batch/counts.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { loadConfig } from '../../src/config.ts';
import type { TrippedBreaker } from '../../src/fleet/probe-breaker.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { openClosers } from '../../src/wiring/closers.ts';
import { connect } from '../../src/wiring/connections.ts';
import { CONDITION_MS } from '../services/limits.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { type Damage, type Figures, judge, type Wanted } from './judge.ts';

export type StandOptions = {
  items: number;
  redisUrl: string;
  /** None: a folder of its own. */
  archive?: { url: string; endpoint: string; directEndpoint: string };
  faults?: readonly Fault[];
  seed?: number;
  simulator?: SimulatorOptions;
  /** Over the quick settings below. */
  environment?: Record<string, string>;
};

export type Stand = Awaited<ReturnType<typeof openStand>>;

/** Limits that are not in the way, timeouts that a test can wait out. */
const QUICK = {
  FLUX_RATE_LIMIT: '50/1s',
  FLUX_POLL_LIMIT: '100/1s',
  FLUX_SUBMIT_TIMEOUT: '10s',
  // Most items wait in the archive.
  FEED_WINDOW: '40',
  LOG_LEVEL: 'silent',
};
const QUICK_PROVIDER: SimulatorOptions = {
  rate: { max: 50, windowMs: 1_000 },
  pollRate: { max: 100, windowMs: 1_000 },
  medianMs: 400,
  // Beyond the submit timeout.
  slowAnswerMs: 20_000,
  pictures: 'plain',
  imageSize: 64,
  imageBytes: 3_000,
};

/** One batch with a provider and an archive of its own; who works on it is the test's choice. */
export async function openStand(options: StandOptions) {
  const closers = openClosers();
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-faults-'));
  closers.push(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const simulator = await startSimulator({
    ...QUICK_PROVIDER,
    prices: TEST_PRICES,
    seed: options.seed ?? 1,
    faults: options.faults ?? [],
    ...options.simulator,
  });
  closers.push(() => simulator.close());

  const batch = `faults-${randomUUID().slice(0, 8)}`;
  const manifestFile = join(folder, 'jobs.yaml');
  await writeFile(manifestFile, manifestOf(batch, options.items));
  const { manifest } = await openManifest(manifestFile);
  const wanted: Wanted[] = [];
  for await (const item of expand(manifest)) wanted.push({ id: item.id, prompt: item.request.prompt });

  const archiveUrl = options.archive?.url ?? join(folder, 'archive');
  const environment: Record<string, string> = {
    ...QUICK,
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ...WITH_TEST_PRICES,
    REDIS_URL: options.redisUrl,
    ARCHIVE_URL: archiveUrl,
    ...(options.archive && { S3_ENDPOINT: options.archive.endpoint, S3_FORCE_PATH_STYLE: 'true' }),
    ...options.environment,
  };

  /** Around whatever stands between us and the archive. */
  async function openDirectly(url = archiveUrl): Promise<Archive> {
    const endpoint = options.archive?.directEndpoint;
    return openArchive({ url, maxSockets: 8, ...(endpoint !== undefined && { endpoint }) });
  }

  async function withConnections<T>(
    task: (connections: Awaited<ReturnType<typeof connect>>) => Promise<T>,
    given: Record<string, string> = {},
  ) {
    const connections = await connect(loadConfig({ ...environment, ...given }), { patient: false, prove: false });
    try {
      return await task(connections);
    } finally {
      await connections.closers.closeAll();
    }
  }

  return {
    batch,
    folder,
    manifestFile,
    wanted,
    simulator,
    environment,
    openDirectly,
    withConnections,
    /** `given`: other settings than the stand's, as workers have that reach a party by another address. */
    enqueue: (given = {}) =>
      withConnections((connections) => enqueueManifest(connections, manifest, expand(manifest)), given),
    counts: () => withConnections(({ state }) => state.counts(batch)),
    breaker: () => withConnections(({ state }) => state.breaker()),
    /** What a person does who was told why submitting is stopped. */
    resetBreaker: () => withConnections(({ state }) => state.resetBreaker()),

    /** Waits until the batch has ended by Redis; what Redis cannot answer meanwhile is asked again. */
    async ended({ withinMs = CONDITION_MS, resetBreaker = false } = {}): Promise<void> {
      const deadline = Date.now() + withinMs;
      let last: BatchCounts | undefined;
      let breaker: TrippedBreaker | undefined;
      while (Date.now() < deadline) {
        // Redis may be away, which is what some of these runs are about: then with a new connection.
        const ended = await withConnections(async ({ state }) => {
          while (Date.now() < deadline) {
            last = await state.counts(batch);
            breaker = await state.breaker();
            if (resetBreaker && breaker) await state.resetBreaker();
            if (last !== undefined && hasEnded(last)) return true;
            await sleep(250);
          }
          return false;
        }).catch(() => false);
        if (ended) return;
        await sleep(250);
      }
      const { remarks } = await this.figures();
      throw new Error(
        `Expected ${batch} to end within ${withinMs} ms: ${JSON.stringify(last?.items)} ${JSON.stringify(breaker)}\n${remarks.join('\n')}`,
      );
    },

    /** Until the provider has taken so many tasks: the batch is in the middle of it. */
    underWay: (tasks: number) =>
      vi.waitFor(() => expect(simulator.ledger().tasks.accepted).toBeGreaterThanOrEqual(tasks)),

    /** By what was before this: then nothing goes wrong at the provider any more. */
    async figures(url?: string, damage?: Damage): Promise<Figures> {
      simulator.setFaults([]);
      const archive = await openDirectly(url);
      try {
        const provider = { ledger: simulator.ledger(), isAlive: (taskId: string) => isImageAlive(simulator, taskId) };
        return await judge(archive, batch, wanted, provider, damage);
      } finally {
        await archive.close();
      }
    },
    close: () => closers.closeAll(),
  };
}

const recordSchema = z.object({ data: z.object({ response: z.record(z.string(), z.string()).nullable() }) });

async function isImageAlive({ url, apiKey }: Simulator, taskId: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${apiKey}`, 'user-agent': 'judge' };
  const answer = await fetch(`${url}/api/v1/flux/kontext/record-info?taskId=${taskId}`, { headers });
  const urls = Object.values(recordSchema.parse(await answer.json()).data.response ?? {});
  const statuses = await Promise.all(urls.map(async (image) => (await fetch(image)).status));
  return statuses.includes(200);
}

function manifestOf(batch: string, items: number): string {
  const variants = Array.from({ length: items }, (_, index) => String(index + 1));
  return JSON.stringify({
    version: 1,
    batch,
    defaults: { outputFormat: 'png', aspectRatio: '1:1', enableTranslation: false },
    jobs: [{ id: 'picture-{{ n }}', prompt: 'Picture number {{ n }} of the batch', matrix: { n: variants } }],
  });
}
