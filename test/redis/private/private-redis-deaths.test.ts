import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { privateRedis } from '../../../src/redis/private/private-redis.ts';
import { isRunning } from '../../../src/redis/private/server.ts';
import { command, stateFolder, users } from './folder-users.ts';

const { folder, stateDir, user, running } = stateFolder();

describe('a private Redis whose processes die', () => {
  it('survives kill -9 of its starter, is found by the next user and stopped with that one', async () => {
    const starter = user();
    const { url, started } = await starter.joined;
    expect(started).toBe(true);
    await command(url, 'set', 'kept', 'yes');
    await starter.kill();
    const server = await running();

    const next = await privateRedis(stateDir());
    expect(next).toMatchObject({ started: false, url });
    expect(await command(next.url, 'get', 'kept')).toBe('yes');
    await next.close();
    expect(await isRunning(server)).toBe(false);
  });

  it('counts a user that was killed as gone', async () => {
    const redis = await privateRedis(stateDir());
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
    const next = await privateRedis(stateDir());
    expect(next).toMatchObject({ started: false, url });
    await next.close();
  });

  it('lets its starter exit by itself after close', async () => {
    const starter = user();
    await starter.joined;
    expect(await starter.leave()).toBe(0);
  });

  it('is replaced when it was killed, with its data and under the same address', async () => {
    const first = await privateRedis(stateDir());
    await command(first.url, 'set', 'kept', 'yes');
    // Everysec: what was written more than a second ago is on disk; this asks for it at once.
    await command(first.url, 'config', 'set', 'appendfsync', 'always');
    await command(first.url, 'set', 'last', 'yes');
    process.kill((await running()).pid, 'SIGKILL');

    const second = await privateRedis(stateDir());
    expect(second).toMatchObject({ started: true, url: first.url });
    expect(await command(second.url, 'get', 'kept')).toBe('yes');
    // The first user finds the new server by itself and is counted there again.
    await vi.waitFor(async () => expect(await users(second.url)).toBe(2));
    await second.close();
    expect(await command(first.url, 'get', 'last')).toBe('yes');
    await first.close();
  });

  it('is replaced when something else has its port by now', async () => {
    const first = await privateRedis(stateDir());
    await command(first.url, 'set', 'kept', 'yes');
    await first.close();
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const address = stranger.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await writeFile(join(folder(), 'redis.json'), JSON.stringify({ port, pid: process.pid, password: 'former' }));

    const second = await privateRedis(stateDir());
    expect(second.started).toBe(true);
    expect(await running()).toMatchObject({ port: 0, socket: expect.stringContaining(folder()) });
    expect(await command(second.url, 'get', 'kept')).toBe('yes');
    await second.close();
  });

  it('takes over the lock of a process that was killed, and a torn state file', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    await (await privateRedis(stateDir())).close();
    await writeFile(join(folder(), 'redis.lock'), `${dead.pid} of a dead process`);
    await writeFile(join(folder(), 'redis.json'), '{"port":');
    const redis = await privateRedis(stateDir());
    expect(redis.started).toBe(true);
    await redis.close();
    expect(await readdir(folder())).not.toContain('redis.lock');
  });
});
