import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { privateRedis } from '../../../src/redis/private/private-redis.ts';
import { isRunning, rememberedServer } from '../../../src/redis/private/server.ts';
import { clientOf } from '../../services/redis-client.ts';
import { command, settings, stateFolder } from './folder-users.ts';

const { folder, stateDir, user, running } = stateFolder();

describe('privateRedis', () => {
  it('starts a durable, private server on a socket and stops it with its only user', async () => {
    const redis = await privateRedis(stateDir());
    expect(redis.started).toBe(true);
    const server = await running();
    expect(await settings(redis.url, 'appendonly', 'appendfsync', 'maxmemory-policy', 'hz', 'port')).toEqual({
      appendonly: 'yes',
      appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction',
      hz: '100',
      port: '0',
    });
    const { socket = '' } = server;
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    await expect(command(`redis+unix://${socket}`, 'ping')).rejects.toThrow();

    await redis.close();
    expect(await isRunning(server)).toBe(false);
    expect(await rememberedServer(folder())).toBeUndefined();
    expect(await readdir(folder())).not.toContain(basename(socket));
  });

  it('keeps its secrets to the user, off the command line and away from the folder once stopped', async () => {
    const redis = await privateRedis(stateDir());
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
    const first = await privateRedis(stateDir());
    await command(first.url, 'set', 'kept', 'yes');
    await first.close();
    const second = await privateRedis(stateDir());
    expect(second.started).toBe(true);
    expect(await command(second.url, 'get', 'kept')).toBe('yes');
    await second.close();
  });

  it('is ready when it is given out, however long its data takes to load', async () => {
    const first = await privateRedis(stateDir());
    await command(first.url, 'eval', "for i = 1, 300000 do redis.call('set', i, i) end", '0');
    await first.close();
    const [second, third] = await Promise.all([privateRedis(stateDir()), privateRedis(stateDir())]);
    expect(await command(second.url, 'dbsize')).toBe(300_000);
    await Promise.all([second.close(), third.close()]);
  });

  it('is shared by the users of a folder and stopped by the last of them', async () => {
    const first = await privateRedis(stateDir());
    const second = await privateRedis(stateDir());
    expect(second).toMatchObject({ started: false, url: first.url });
    const server = await running();

    await first.close();
    await first.close();
    expect(await command(second.url, 'ping')).toBe('PONG');
    await second.close();
    expect(await isRunning(server)).toBe(false);
  });

  it('is not kept by connections that are no users', async () => {
    const redis = await privateRedis(stateDir());
    const server = await running();
    const visitor = clientOf(redis.url);
    await visitor.ping();
    await redis.close();
    visitor.disconnect();
    expect(await isRunning(server)).toBe(false);
  });

  it('is started once when many start at the same time, in one process or several', async () => {
    const children = [user(), user(), user()];
    const own = await Promise.all([privateRedis(stateDir()), privateRedis(stateDir())]);
    const others = await Promise.all(children.map(({ joined }) => joined));
    expect([...own, ...others].filter(({ started }) => started)).toHaveLength(1);
    expect(new Set([...own, ...others].map(({ url }) => url)).size).toBe(1);

    await Promise.all([...own.map((redis) => redis.close()), ...children.map((child) => child.leave())]);
  });

  it('says in the words of the server why it cannot start', async () => {
    await (await privateRedis(stateDir())).close();
    const aof = join(folder(), 'appendonlydir', 'appendonly.aof.1.incr.aof');
    await writeFile(aof, 'this is not a log of commands\r\n');
    await expect(privateRedis(stateDir())).rejects.toMatchObject({
      code: 'redis-start-failed',
      message: expect.stringContaining('Bad file format reading the append only file'),
      hint: expect.stringContaining(folder()),
    });
  });

  it('says how to get a server when there is none', async () => {
    vi.stubEnv('PATH', join(stateDir(), 'nothing-here'));
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(privateRedis(stateDir())).rejects.toMatchObject({
      name: 'UsageError',
      code: 'redis-missing',
      message: expect.stringContaining('REDIS_URL'),
      hint: expect.stringMatching(/apt install redis-server[\s\S]*brew install redis[\s\S]*docker run[\s\S]*REDIS_URL/),
    });
  });

  it('says so when the folder cannot be used', async () => {
    const file = join(stateDir(), 'a-file');
    await writeFile(file, '');
    await expect(privateRedis(file)).rejects.toMatchObject({ name: 'UsageError', code: 'state-dir' });
  });

  it('tells what it does, without the password', async () => {
    const events: [string, Record<string, unknown>][] = [];
    const redis = await privateRedis(stateDir(), (event, facts) => events.push([event, facts]));
    const { password } = await running();
    await redis.close();
    // Servers that other tests have left are ended by whoever starts one.
    const own = events.map(([event]) => event).filter((event) => event !== 'redis-lost-ended');
    expect(own).toEqual(['redis-started', 'redis-stopped']);
    expect(JSON.stringify(events)).not.toContain(password);
  });
});
