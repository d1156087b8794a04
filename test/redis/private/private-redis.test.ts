import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { privateRedis } from '../../../src/redis/private/private-redis.ts';
import { isRunning, rememberedServer } from '../../../src/redis/private/server.ts';

let stateDir: string;
const folder = () => join(stateDir, 'redis');

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'flux-batch-private-redis-'));
});

afterEach(async () => {
  const left = await rememberedServer(folder());
  const leaked = left !== undefined && (await isRunning(left));
  if (leaked) process.kill(left.pid, 'SIGKILL');
  await rm(stateDir, { recursive: true, force: true });
  expect(leaked, 'a private redis-server was left running').toBe(false);
});

describe('privateRedis', () => {
  it('starts a durable, private server on loopback and stops it with its only user', async () => {
    const redis = await privateRedis(stateDir);
    expect(redis.started).toBe(true);
    const server = await running();
    expect(await settings(redis.url, 'appendonly', 'appendfsync', 'maxmemory-policy', 'hz', 'bind')).toEqual({
      appendonly: 'yes',
      appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction',
      hz: '100',
      bind: '127.0.0.1',
    });
    await expect(command(`redis://127.0.0.1:${server.port}`, 'ping')).rejects.toThrow();

    await redis.close();
    expect(await isRunning(server)).toBe(false);
    expect(await rememberedServer(folder())).toBeUndefined();
  });

  it('keeps its secrets to the user, off the command line and away from the folder once stopped', async () => {
    const redis = await privateRedis(stateDir);
    const { pid, password } = await running();
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password);
    expect((await stat(folder())).mode & 0o777).toBe(0o700);
    for (const name of ['redis.conf', 'redis.json']) {
      expect((await stat(join(folder(), name))).mode & 0o777).toBe(0o600);
    }
    await redis.close();
    for (const name of await readdir(folder())) {
      const text = await readFile(join(folder(), name), 'utf8').catch(() => '');
      expect(text, name).not.toContain(password);
    }
  });

  it('has its data again after it was stopped', async () => {
    const first = await privateRedis(stateDir);
    await command(first.url, 'set', 'kept', 'yes');
    await first.close();
    const second = await privateRedis(stateDir);
    expect(second.started).toBe(true);
    expect(await command(second.url, 'get', 'kept')).toBe('yes');
    await second.close();
  });

  it('is ready when it is given out, however long its data takes to load', async () => {
    const first = await privateRedis(stateDir);
    await command(first.url, 'eval', "for i = 1, 300000 do redis.call('set', i, i) end", '0');
    await first.close();
    const [second, third] = await Promise.all([privateRedis(stateDir), privateRedis(stateDir)]);
    expect(await command(second.url, 'dbsize')).toBe(300_000);
    await Promise.all([second.close(), third.close()]);
  });

  it('is shared by the users of a folder and stopped by the last of them', async () => {
    const first = await privateRedis(stateDir);
    const second = await privateRedis(stateDir);
    expect(second).toMatchObject({ started: false, url: first.url });
    const server = await running();

    await first.close();
    await first.close();
    expect(await command(second.url, 'ping')).toBe('PONG');
    await second.close();
    expect(await isRunning(server)).toBe(false);
  });

  it('is not kept by connections that are no users', async () => {
    const redis = await privateRedis(stateDir);
    const server = await running();
    const visitor = new Redis(redis.url, { retryStrategy: () => null });
    visitor.on('error', () => {});
    await visitor.ping();
    await redis.close();
    visitor.disconnect();
    expect(await isRunning(server)).toBe(false);
  });

  it('is started once when many start at the same time, in one process or several', async () => {
    const children = [user(), user(), user()];
    const own = await Promise.all([privateRedis(stateDir), privateRedis(stateDir)]);
    const others = await Promise.all(children.map(({ joined }) => joined));
    expect([...own, ...others].filter(({ started }) => started)).toHaveLength(1);
    expect(new Set([...own, ...others].map(({ url }) => url)).size).toBe(1);

    await Promise.all([...own.map((redis) => redis.close()), ...children.map((child) => child.leave())]);
  });

  it('survives kill -9 of its starter, is found by the next user and stopped with that one', async () => {
    const starter = user();
    const { url, started } = await starter.joined;
    expect(started).toBe(true);
    await command(url, 'set', 'kept', 'yes');
    await starter.kill();
    const server = await running();

    const next = await privateRedis(stateDir);
    expect(next).toMatchObject({ started: false, url });
    expect(await command(next.url, 'get', 'kept')).toBe('yes');
    await next.close();
    expect(await isRunning(server)).toBe(false);
  });

  it('counts a user that was killed as gone', async () => {
    const redis = await privateRedis(stateDir);
    const server = await running();
    const other = user();
    expect((await other.joined).started).toBe(false);
    await other.kill();
    await redis.close();
    expect(await isRunning(server)).toBe(false);
  });

  it('is not reached by Ctrl-C in the terminal of its starter', async () => {
    const starter = user();
    const { url } = await starter.joined;
    // What a terminal does: the signal goes to the whole foreground process group.
    process.kill(-(starter.process.pid ?? 0), 'SIGINT');
    await once(starter.process, 'exit');
    const next = await privateRedis(stateDir);
    expect(next).toMatchObject({ started: false, url });
    await next.close();
  });

  it('lets its starter exit by itself after close', async () => {
    const starter = user();
    await starter.joined;
    expect(await starter.leave()).toBe(0);
  });

  it('is replaced when it was killed, with its data and under the same address', async () => {
    const first = await privateRedis(stateDir);
    await command(first.url, 'set', 'kept', 'yes');
    // Everysec: what was written more than a second ago is on disk; this asks for it at once.
    await command(first.url, 'config', 'set', 'appendfsync', 'always');
    await command(first.url, 'set', 'last', 'yes');
    process.kill((await running()).pid, 'SIGKILL');

    const second = await privateRedis(stateDir);
    expect(second).toMatchObject({ started: true, url: first.url });
    expect(await command(second.url, 'get', 'kept')).toBe('yes');
    // The first user finds the new server by itself and is counted there again.
    await vi.waitFor(async () => expect(await users(second.url)).toBe(2));
    await second.close();
    expect(await command(first.url, 'get', 'last')).toBe('yes');
    await first.close();
  });

  it('is replaced when something else has its port by now', async () => {
    const first = await privateRedis(stateDir);
    await command(first.url, 'set', 'kept', 'yes');
    await first.close();
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const address = stranger.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await writeFile(join(folder(), 'redis.json'), JSON.stringify({ port, pid: process.pid, password: 'former' }));

    const second = await privateRedis(stateDir);
    expect(second.started).toBe(true);
    expect((await running()).port).not.toBe(port);
    expect(await command(second.url, 'get', 'kept')).toBe('yes');
    await second.close();
  });

  it('is replaced when the remembered password opens another server no more', async () => {
    const other = await mkdtemp(join(tmpdir(), 'flux-batch-other-'));
    onTestFinished(() => rm(other, { recursive: true, force: true }));
    const stranger = await privateRedis(other);
    await (await privateRedis(stateDir)).close();
    const { port } = new URL(stranger.url);
    const state = { port: Number(port), pid: process.pid, password: 'wrong' };
    await writeFile(join(folder(), 'redis.json'), JSON.stringify(state));

    const redis = await privateRedis(stateDir);
    expect(redis.started).toBe(true);
    expect(new URL(redis.url).port).not.toBe(port);
    await redis.close();
    expect(await command(stranger.url, 'ping')).toBe('PONG');
    await stranger.close();
  });

  it('takes over the lock of a process that was killed, and a torn state file', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    await (await privateRedis(stateDir)).close();
    await writeFile(join(folder(), 'redis.lock'), `${dead.pid} of a dead process`);
    await writeFile(join(folder(), 'redis.json'), '{"port":');
    const redis = await privateRedis(stateDir);
    expect(redis.started).toBe(true);
    await redis.close();
    expect(await readdir(folder())).not.toContain('redis.lock');
  });

  it('says in the words of the server why it cannot start', async () => {
    await (await privateRedis(stateDir)).close();
    const aof = join(folder(), 'appendonlydir', 'appendonly.aof.1.incr.aof');
    await writeFile(aof, 'this is not a log of commands\r\n');
    await expect(privateRedis(stateDir)).rejects.toMatchObject({
      code: 'redis-start-failed',
      message: expect.stringContaining('Bad file format reading the append only file'),
      hint: expect.stringContaining(folder()),
    });
  });

  it('says how to get a server when there is none', async () => {
    vi.stubEnv('PATH', join(stateDir, 'nothing-here'));
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(privateRedis(stateDir)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'redis-missing',
      message: expect.stringContaining('REDIS_URL'),
      hint: expect.stringMatching(/apt install redis-server[\s\S]*brew install redis[\s\S]*docker run[\s\S]*REDIS_URL/),
    });
  });

  it('says so when the folder cannot be used', async () => {
    const file = join(stateDir, 'a-file');
    await writeFile(file, '');
    await expect(privateRedis(file)).rejects.toMatchObject({ name: 'UsageError', code: 'state-dir' });
  });

  it('tells what it does, without the password', async () => {
    const events: [string, Record<string, unknown>][] = [];
    const redis = await privateRedis(stateDir, (event, facts) => events.push([event, facts]));
    const { password } = await running();
    await redis.close();
    expect(events.map(([event]) => event)).toEqual(['redis-started', 'redis-stopped']);
    expect(JSON.stringify(events)).not.toContain(password);
  });
});

/** Another process that uses the folder until it is told to leave; the built code, since Node 20 runs no TypeScript. */
function user() {
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

async function running() {
  const server = await rememberedServer(folder());
  if (server === undefined) throw new Error('no state file');
  return server;
}

async function command(url: string, name: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

async function settings(url: string, ...names: string[]) {
  const replies = await Promise.all(names.map((name) => command(url, 'config', 'get', name)));
  return Object.fromEntries(
    replies.map((reply) => (Array.isArray(reply) ? reply : Object.entries(Object(reply)).flat())),
  );
}

async function users(url: string): Promise<number> {
  return String(await command(url, 'client', 'list')).split('name=flux-batch-user:').length - 1;
}
