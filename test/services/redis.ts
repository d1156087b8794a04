import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

export type TestRedis = {
  url: string;
  port: number;
  pid: number;
  /** Where its data is; give it to another `startRedis` to come back with that data. */
  dir: string;
  /** Ends it in order; a directory of its own making is removed. */
  stop(): Promise<void>;
  /** kill -9: what was not on disk is lost, the directory stays. */
  kill(): Promise<void>;
};

/** A real redis-server on loopback, noeviction, that keeps nothing unless `appendonly` is asked for. */
export async function startRedis(
  options: { appendonly?: boolean; dir?: string; port?: number; args?: string[] } = {},
): Promise<TestRedis> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'flux-batch-redis-')));
  const port = options.port ?? (await freePort());
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    save: '',
    appendonly: options.appendonly ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
    hz: '100',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn('redis-server', [...args, ...(options.args ?? [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => {
    output = (output + data).slice(-4_000);
  });
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error('redis-server has no pid');

  // A crash of the test process must not leave it running.
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(child, 'exit').finally(() => process.off('exit', killNow));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };

  const url = `redis://127.0.0.1:${port}`;
  try {
    await Promise.race([
      answers(url),
      ended.then(() => Promise.reject(new Error(`redis-server did not start:\n${output}`))),
    ]);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return {
    url,
    port,
    pid,
    dir,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM');
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Below those that systems give to connections, and to whoever listens at port 0: nobody else takes one of these meanwhile. */
const PORTS = { from: 12_000, to: 30_000 };
/** In this process a port is given once. */
const given = new Set<number>();

export async function freePort(): Promise<number> {
  const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
  if (given.has(port)) return freePort();
  given.add(port);
  const probe = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isFree) return freePort();
  probe.close();
  await once(probe, 'close');
  return port;
}

async function answers(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: 1_000 });
  redis.on('error', () => {});
  try {
    await Promise.race([
      redis.ping(),
      sleep(20_000, undefined, { ref: false }).then(() => Promise.reject(new Error(`no answer at ${url}`))),
    ]);
  } finally {
    redis.disconnect();
  }
}
