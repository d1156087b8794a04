import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ListenOptions } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isListener, isListenerByLsof } from '../../../src/redis/private/listener.ts';
import { joinServer } from '../../../src/redis/private/membership.ts';
import { privateRedis } from '../../../src/redis/private/private-redis.ts';
import { hasEnded, isRunning, type Server } from '../../../src/redis/private/server.ts';
import { freePort } from '../../services/redis.ts';
import { clientOf } from '../../services/redis-client.ts';
import { command, stateFolder } from './folder-users.ts';

const { folder, stateDir, running } = stateFolder();
const NOBODY = 65_534;
// Where it is not, the reason stands in the test's name.
const hasLsof = spawnSync('lsof', ['-v']).error === undefined;

describe('whoever is not the server of this folder gets not one byte', () => {
  it('at the port that a server of an older version had, once that is dead', async () => {
    const stranger = await listener({ port: 0, host: '127.0.0.1' });
    await remember({ port: stranger.port, pid: await deadPid(), password: 'former' });
    const redis = await privateRedis(stateDir());
    expect(redis).toMatchObject({ started: true, url: expect.stringMatching(/^redis\+unix:/) });
    await redis.close();
    expect(stranger.heard()).toEqual({ connections: 0, bytes: 0 });
  });

  it('at that port, where its pid belongs to another process by now, even one that looks like it', async () => {
    const stranger = await listener({ port: 0, host: '127.0.0.1' });
    const alike = spawn('sleep', ['600'], { argv0: `redis-server 127.0.0.1:${stranger.port}`, stdio: 'ignore' });
    onTestFinished(() => void alike.kill('SIGKILL'));
    await once(alike, 'spawn');
    const server: Server = { port: stranger.port, pid: pidOf(alike), password: 'former' };
    await expect.poll(() => isRunning(server)).toBe(true);
    expect(await joinServer(server)).toBeUndefined();
    expect(stranger.heard()).toEqual({ connections: 0, bytes: 0 });
  });

  it('at its socket, in whose place there is a link to that of somebody else', async () => {
    const stranger = await listener({ path: join(stateDir(), 'stranger.sock') });
    const first = await privateRedis(stateDir());
    const server = await running();
    const { socket = '', pid } = server;
    await rename(socket, `${socket}.away`);
    await symlink(join(stateDir(), 'stranger.sock'), socket);
    await expect(privateRedis(stateDir())).rejects.toMatchObject({
      code: 'redis-stuck',
      hint: expect.stringContaining(`kill ${pid}`),
    });
    process.kill(pid, 'SIGKILL');
    await hasEnded(server, 30_000);

    const second = await privateRedis(stateDir());
    expect(second.started).toBe(true);
    expect(second.url).not.toBe(first.url);
    await second.close();
    expect(stranger.heard()).toEqual({ connections: 0, bytes: 0 });
    await first.close();
  });

  it.skipIf(process.getuid?.() !== 0)(
    'at its socket, in whose place there is another user’s (needs root)',
    async () => {
      const stranger = await listener({ path: join(stateDir(), 'stranger.sock') });
      await mkdir(folder(), { mode: 0o700 });
      const socket = join(folder(), 'redis-0123456789abc.sock');
      await rename(join(stateDir(), 'stranger.sock'), socket);
      await chown(socket, NOBODY, NOBODY);
      await remember({ port: 0, pid: await deadPid(), password: 'former', socket });
      const redis = await privateRedis(stateDir());
      expect(redis.url).not.toContain('redis-0123456789abc.sock');
      await redis.close();
      expect(stranger.heard()).toEqual({ connections: 0, bytes: 0 });

      await chown(folder(), NOBODY, NOBODY);
      await expect(privateRedis(stateDir())).rejects.toMatchObject({
        code: 'state-dir',
        message: expect.stringMatching(/another user's/),
      });
    },
  );
});

describe('a server that an older version started at a port', () => {
  it('makes room for one at a socket, with its data, when nobody uses it', async () => {
    const older = await olderServer();
    await command(older.url, 'set', 'kept', 'yes');
    const redis = await privateRedis(stateDir());
    expect(redis).toMatchObject({ started: true, url: expect.stringMatching(/^redis\+unix:/) });
    expect(await command(redis.url, 'get', 'kept')).toBe('yes');
    expect(await isRunning(older.server)).toBe(false);
    await redis.close();
  });

  it('is shared while somebody uses it, and stopped with its last user', async () => {
    const older = await olderServer();
    const user = clientOf(older.url);
    await user.client('SETNAME', 'flux-batch-user:1');
    const redis = await privateRedis(stateDir());
    expect(redis).toMatchObject({ started: false, url: older.url });
    user.disconnect();
    await expect.poll(async () => String(await command(older.url, 'client', 'list'))).not.toContain('user:1 ');
    await redis.close();
    expect(await hasEnded(older.server, 30_000)).toBe(true);
  });

  it('takes one at a socket for running, and starts none beside it', async () => {
    const redis = await privateRedis(stateDir());
    const { port, pid } = await running();
    // All that version 0.2 reads of the state file, and how it knew its server.
    expect(port).toBe(0);
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toMatch(/redis.*0/);
    await redis.close();
  });
});

it('a folder with a path too long for a socket has it in a short one that is for this user alone', async () => {
  const deep = join(stateDir(), 'd'.repeat(120));
  const [first, second] = await Promise.all([privateRedis(deep), privateRedis(deep)]);
  const pathname = first.url.slice(first.url.indexOf('@') + 1);
  expect(second.url).toBe(first.url);
  expect(pathname.startsWith(stateDir())).toBe(false);
  expect((await stat(join(pathname, '..'))).mode & 0o777).toBe(0o700);
  expect(await command(second.url, 'ping')).toBe('PONG');
  await Promise.all([first.close(), second.close()]);
  await expect(stat(pathname)).rejects.toThrow();
});

it('who listens at a port is told by the kernel', async () => {
  const { port } = await listener({ port: 0, host: '127.0.0.1' });
  const [ours, other] = [
    { pid: process.pid, port },
    { pid: process.ppid, port },
  ];
  expect(await isListener(ours)).toBe(true);
  expect(await isListener(other)).toBe(false);
});

it.skipIf(!hasLsof)('… and by lsof, where there is one', async () => {
  const { port } = await listener({ port: 0, host: '127.0.0.1' });
  expect(await isListenerByLsof({ pid: process.pid, port })).toBe(true);
  expect(await isListenerByLsof({ pid: process.ppid, port })).toBe(false);
});

/** Takes connections, and counts what comes. */
async function listener(at: ListenOptions) {
  const heard = { connections: 0, bytes: 0 };
  const server = createServer((socket) => {
    heard.connections += 1;
    socket.on('data', (data) => {
      heard.bytes += data.length;
    });
    socket.on('error', () => {});
  });
  server.listen(at);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return { port, heard: () => heard };
}

/** As version 0.2 started it and remembered it. */
async function olderServer(): Promise<{ url: string; server: Server }> {
  await mkdir(folder(), { mode: 0o700 });
  const port = await freePort();
  const args = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--requirepass',
    'former',
    '--appendonly',
    'yes',
    '--dir',
    './',
  ];
  const child = spawn('redis-server', [...args, '--save', ''], { cwd: folder(), stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = pidOf(child);
  await vi.waitFor(() => command(`redis://:former@127.0.0.1:${port}`, 'ping'));
  const server = { port, pid, password: 'former' };
  await remember(server);
  return { url: `redis://:former@127.0.0.1:${port}`, server };
}

async function remember(server: Server): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  await writeFile(join(folder(), 'redis.json'), JSON.stringify(server));
}

async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return pidOf(child);
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('Expected a process');
  return pid;
}
