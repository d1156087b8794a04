import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hasEnded } from '../src/batch/counts.ts';
import { enqueueManifest } from '../src/batch/enqueue.ts';
import { loadConfig } from '../src/config.ts';
import type { Item } from '../src/items/item.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { parseRate } from '../src/text/duration.ts';
import { connect } from '../src/wiring/connections.ts';
import { startCluster } from '../test/services/cluster.ts';
import { startRedis } from '../test/services/redis.ts';

export type CalledScenario = {
  name: string;
  items: number;
  /** Of submits and of polls, as the provider enforces them and the workers keep them. */
  rateLimit: string;
  pollLimit: string;
  medianMs: number;
  lostShare: number;
  cluster?: boolean;
};

const WORKERS = 4;

/** Redis, a simulator, `serve` and four workers of this program, whose `cli` may be another version's. */
export async function startCalled(scenario: CalledScenario, cli: string) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  const redis = scenario.cluster ? await startCluster(3) : await startRedis({ appendonly: true });
  const simulator = await startSimulator({
    medianMs: scenario.medianMs,
    rate: parseRate(scenario.rateLimit),
    pollRate: parseRate(scenario.pollLimit),
    maxTasks: 100_000,
    callbackLostShare: scenario.lostShare,
    pictures: 'plain',
    imageSize: 256,
    imageBytes: 50_000,
    latencyMs: 20,
  });
  const variables = {
    FLUX_API_KEY: simulator.apiKey,
    FLUX_API_URL: simulator.url,
    FLUX_RATE_LIMIT: scenario.rateLimit,
    FLUX_POLL_LIMIT: scenario.pollLimit,
    FLUX_MAX_TASKS: '1000',
    REDIS_URL: redis.url,
    ARCHIVE_URL: folder,
  };
  const connections = await connect(loadConfig(variables), { patient: false, prove: true });
  const children: ChildProcess[] = [];
  const start = (args: string[], env: Record<string, string>): ChildProcess => {
    const child = spawn(process.execPath, [cli, ...args], {
      env: { ...process.env, ...variables, ...env },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    children.push(child);
    return child;
  };
  const calledBack = new Set<string>();
  const serveUrl = await served(start(['serve', '--port', '0'], { LOG_LEVEL: 'info' }), (id) => calledBack.add(id));
  for (let count = 0; count < WORKERS; count += 1)
    logged(start(['worker'], { FLUX_CALLBACK_URL: serveUrl, LOG_LEVEL: 'error' }), console.error);
  return {
    ...{ simulator, connections, serveUrl, calledBack },
    stopWorkers: () => stop(children.slice(1)),
    async close() {
      await stop(children);
      await connections.closers.closeAll();
      await simulator.close();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type CalledStand = Awaited<ReturnType<typeof startCalled>>;

async function stop(running: readonly ChildProcess[]): Promise<void> {
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(running.map((child) => child.exitCode ?? once(child, 'exit')));
}

/** The server's log tells which items were called back. */
async function served(child: ChildProcess, onCallback: (item: string) => void): Promise<string> {
  const event = z.object({ stage: z.literal('callback'), result: z.literal('hurried'), item: z.string() });
  return new Promise((resolve) => {
    const onLine = (line: string) => {
      const parsed = event.safeParse(JSON.parse(line));
      if (parsed.success) onCallback(parsed.data.item);
    };
    logged(child, onLine, (words) => {
      const url = /^flux-batch serves (\S+)$/.exec(words)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

function logged({ stderr }: ChildProcess, onLine: (json: string) => void, onWords: (text: string) => void = () => {}) {
  if (!stderr) throw new Error('no stderr');
  createInterface({ input: stderr }).on('line', (line) => (line.startsWith('{') ? onLine : onWords)(line));
}

export type CalledFigures = {
  polls: number;
  pollsATask: number;
  refused: number;
  /** Milliseconds from completion to discovery, ascending, of tasks that were called back and of those that were not. */
  told: number[];
  untold: number[];
  archived: number;
  tasks: number;
  seconds: number;
};

/** Runs a batch to its end. */
export async function runCalled(stand: CalledStand, items: number): Promise<CalledFigures> {
  const { connections, simulator, calledBack } = stand;
  const manifest = Array.from({ length: items }, (_, index) => calledItem('discovery', index));
  const startedAt = Date.now();
  await enqueueManifest(connections, { batch: 'discovery', digest: '' }, each(manifest));
  let counts = await connections.state.counts('discovery');
  for (; !counts || !hasEnded(counts); counts = await connections.state.counts('discovery')) await sleep(100);
  const seconds = (Date.now() - startedAt) / 1_000;
  const [told, untold]: [number[], number[]] = [[], []];
  for await (const id of connections.records.list('discovery')) {
    const { timings } = (await connections.records.read('discovery', id)) ?? {};
    const ms = Date.parse(timings?.discovered ?? '') - Date.parse(timings?.completed ?? '');
    (calledBack.has(id) ? told : untold).push(ms);
  }
  const { tasks, polls, refused429 } = simulator.ledger();
  return {
    ...{ polls, pollsATask: polls / tasks.accepted, refused: refused429.polls, tasks: tasks.accepted, seconds },
    ...{ told: ascending(told), untold: ascending(untold), archived: counts.items.archived },
  };
}

export function calledItem(batch: string, index: number): Item {
  const request = { prompt: `a pear ${index}`, model: 'flux-kontext-pro', outputFormat: 'png' } as const;
  const id = `pear-${index}`;
  return { batch, id, name: id, variant: 1, priority: 0, variables: {}, request, queuedAt: Date.now() };
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);

export function quantiles(values: readonly number[]): string {
  const sorted = ascending(values);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(0);
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms (${sorted.length})`;
}
