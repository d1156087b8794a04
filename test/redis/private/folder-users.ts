import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished } from 'vitest';
import { isRunning, rememberedServer } from '../../../src/redis/private/server.ts';
import { clientOf } from '../../services/redis-client.ts';

/** A state folder for each test of a file; none may leave a server behind. */
export function stateFolder() {
  let stateDir = '';
  const folder = () => join(stateDir, 'redis');

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'flux-batch-private-redis-'));
  });

  afterEach(async () => {
    const left = await rememberedServer(folder());
    const leaked = left !== undefined && (await isRunning(left));
    if (leaked) process.kill(left.pid, 'SIGKILL');
    await rm(stateDir, { recursive: true, force: true, maxRetries: 10 });
    expect(leaked, 'a private redis-server was left running').toBe(false);
  });

  return {
    folder,
    stateDir: () => stateDir,
    user: () => userOf(stateDir),
    async running() {
      const server = await rememberedServer(folder());
      if (server === undefined) throw new Error('no state file');
      return server;
    },
  };
}

/** Another process that uses the folder until it is told to leave; the built code, since Node 20 runs no TypeScript. */
function userOf(stateDir: string) {
  const built = new URL('../../../dist/src/redis/private/private-redis.js', import.meta.url).href;
  const script = `
    const { privateRedis } = await import(${JSON.stringify(built)});
    const redis = await privateRedis(${JSON.stringify(stateDir)});
    console.log(JSON.stringify({ url: redis.url, started: redis.started }));
    process.stdin.once('end', () => redis.close()).resume();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    process: child,
    joined: firstLine(child).then((line): { url: string; started: boolean } => JSON.parse(line)),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    leave: async (): Promise<unknown> => {
      child.stdin.end();
      return (await once(child, 'exit'))[0];
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const data of child.stdout ?? []) {
    text += data;
    if (text.includes('\n')) return text;
  }
  throw new Error('the other process ended before it joined');
}

export async function command(url: string, name: string, ...args: string[]): Promise<unknown> {
  const redis = clientOf(url);
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

export async function settings(url: string, ...names: string[]) {
  const replies = await Promise.all(names.map((name) => command(url, 'config', 'get', name)));
  return Object.fromEntries(
    replies.map((reply) => (Array.isArray(reply) ? reply : Object.entries(Object(reply)).flat())),
  );
}

export async function users(url: string): Promise<number> {
  return String(await command(url, 'client', 'list')).split('name=flux-batch-user:').length - 1;
}
