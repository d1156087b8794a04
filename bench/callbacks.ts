// npm run bench:callbacks [-- items] [-- --cluster]
//
// Two promises of `serve`: a task that is called back is found within 300 ms (median), with four worker processes, 30 % of the
// callbacks lost; and a callback is answered within 50 ms at 200 a second.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { hasEnded } from '../src/batch/counts.ts';
import { enqueueManifest } from '../src/batch/enqueue.ts';
import { callbackTokens } from '../src/callbacks/token.ts';
import { loadConfig } from '../src/config.ts';
import type { Item, Submitted } from '../src/items/item.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { connect } from '../src/wiring/connections.ts';
import { startCluster } from '../test/services/cluster.ts';
import { startRedis } from '../test/services/redis.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { cluster: { type: 'boolean' } } });
const ITEMS = Number(positionals[0] ?? 500);
const WORKERS = 4;
const PER_SECOND = 200;
const SECONDS = 10;

const cli = fileURLToPath(new URL('../bin/flux-batch.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
const redis = values.cluster ? await startCluster(3) : await startRedis({ appendonly: true });
const simulator = await startSimulator({
  medianMs: 2_000,
  rate: { max: 100_000, windowMs: 1_000 },
  pollRate: { max: 100_000, windowMs: 1_000 },
  maxTasks: 100_000,
  callbackLostShare: 0.3,
  pictures: 'plain',
  imageSize: 256,
  imageBytes: 50_000,
  latencyMs: 20,
});
Object.assign(process.env, {
  FLUX_API_KEY: simulator.apiKey,
  FLUX_API_URL: simulator.url,
  FLUX_RATE_LIMIT: '40/1s',
  FLUX_POLL_LIMIT: '100/1s',
  FLUX_MAX_TASKS: '1000',
  REDIS_URL: redis.url,
  ARCHIVE_URL: folder,
});
const connections = await connect(loadConfig(), { patient: false, prove: true });
const children: ChildProcess[] = [];
try {
  const calledBack = new Set<string>();
  const serveUrl = await startServe((id) => calledBack.add(id));
  for (let count = 0; count < WORKERS; count += 1)
    start(['worker'], { FLUX_CALLBACK_URL: serveUrl, LOG_LEVEL: 'warn' });
  await discovery(calledBack);
  // What is measured next is the server: nobody is to work on the polls that it promotes.
  await stop(children.slice(1));
  await latency(serveUrl);
} finally {
  await stop(children);
  await connections.closers.closeAll();
  await simulator.close();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

async function stop(running: readonly ChildProcess[]): Promise<void> {
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(running.map((child) => child.exitCode ?? once(child, 'exit')));
}

function start(args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  children.push(child);
  return child;
}

/** The server's log tells which items were called back. */
async function startServe(onCallback: (item: string) => void): Promise<string> {
  const event = z.object({ stage: z.literal('callback'), result: z.literal('hurried'), item: z.string() });
  const { stderr } = start(['serve', '--port', '0'], { LOG_LEVEL: 'info' });
  if (!stderr) throw new Error('no stderr');
  return new Promise((resolve) => {
    createInterface({ input: stderr }).on('line', (line) => {
      const url = /^flux-batch serves (\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
      if (!line.startsWith('{')) return;
      const parsed = event.safeParse(JSON.parse(line));
      if (parsed.success) onCallback(parsed.data.item);
    });
  });
}

async function discovery(calledBack: ReadonlySet<string>): Promise<void> {
  const items = Array.from({ length: ITEMS }, (_, index) => itemOf('discovery', index));
  await enqueueManifest(connections, { batch: 'discovery', digest: '' }, each(items));
  const startedAt = Date.now();
  let counts = await connections.state.counts('discovery');
  for (; !counts || !hasEnded(counts); counts = await connections.state.counts('discovery')) await sleep(100);
  const [told, lost]: [number[], number[]] = [[], []];
  for await (const id of connections.records.list('discovery')) {
    const { timings } = (await connections.records.read('discovery', id)) ?? {};
    const ms = Date.parse(timings?.discovered ?? '') - Date.parse(timings?.completed ?? '');
    (calledBack.has(id) ? told : lost).push(ms);
  }
  const { tasks, callbacks, polls } = simulator.ledger();
  console.log(
    `${values.cluster ? 'a Redis Cluster of three nodes' : 'one Redis'}: ${ITEMS} items, ${WORKERS} worker processes and serve: ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`,
  );
  console.log(`  archived ${counts.items.archived}, tasks paid for ${tasks.accepted}, polls ${polls}`);
  console.log(`  callbacks delivered ${callbacks.delivered}, lost ${callbacks.lost}, failed ${callbacks.failed}`);
  console.log(`  completion → discovery, called back: ${quantiles(told)}`);
  console.log(`  completion → discovery, callback lost: ${quantiles(lost)}`);
}

/** Callbacks to delayed polls, evenly spaced, each measured from its sending to its answer. */
async function latency(serveUrl: string): Promise<void> {
  const total = PER_SECOND * SECONDS;
  const tokens = callbackTokens(simulator.apiKey);
  const now = Date.now();
  const running: Submitted[] = Array.from({ length: total }, (_, index) => ({
    ...itemOf('latency', index),
    queuedAt: now,
    taskId: `task-${index}`,
    submittedAt: now,
    giveUpAt: now + 3_600_000,
    recorded: true,
  }));
  for (const item of running) await connections.queues.forward.poll(item, now + 3_600_000);
  const cpuBefore = await cpuSecondsOf(serveUrl);
  const startedAt = performance.now();
  const answers = running.map(async (item, index) => {
    await sleep(Math.max(0, startedAt + (index * 1_000) / PER_SECOND - performance.now()));
    const sentAt = performance.now();
    const answer = await fetch(`${serveUrl}/callbacks/${tokens.mint(item)}`, {
      method: 'POST',
      body: JSON.stringify({ code: 200, msg: 'success', data: { taskId: item.taskId } }),
      headers: { 'content-type': 'application/json' },
    });
    await answer.arrayBuffer();
    return { ms: performance.now() - sentAt, ok: answer.ok };
  });
  const all = await Promise.all(answers);
  console.log(`load of the machine: ${loadavg()[0]?.toFixed(1)}`);
  console.log(`${total} callbacks, ${PER_SECOND} a second: ${all.filter(({ ok }) => ok).length} answered 2xx`);
  const cpuMs = ((await cpuSecondsOf(serveUrl)) - cpuBefore) * 1_000;
  console.log(`  work of serve: ${(cpuMs / total).toFixed(2)} ms of processor a callback`);
  console.log(`  answered within: ${quantiles(all.map(({ ms }) => ms))}`);
}

/** What a loaded machine does not change. */
async function cpuSecondsOf(serveUrl: string): Promise<number> {
  const text = await (await fetch(`${serveUrl}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
}

function itemOf(batch: string, index: number): Item {
  const request = { prompt: `a pear ${index}`, model: 'flux-kontext-pro', outputFormat: 'png' } as const;
  const id = `pear-${index}`;
  return { batch, id, name: id, variant: 1, priority: 0, variables: {}, request, queuedAt: Date.now() };
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

function quantiles(values: number[]): string {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(0);
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms (${sorted.length})`;
}
