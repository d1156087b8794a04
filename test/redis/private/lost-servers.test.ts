import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { endLostServers } from '../../../src/redis/private/lost-servers.ts';
import { privateRedis } from '../../../src/redis/private/private-redis.ts';
import { isRunning, type Server } from '../../../src/redis/private/server.ts';
import { clientOf } from '../../services/redis-client.ts';
import { stateFolder } from './folder-users.ts';

const { stateDir, user, running } = stateFolder();

/** The server of a user that was killed. */
async function leftBehind(): Promise<Server & { url: string }> {
  const killed = user();
  const { url } = await killed.joined;
  const server = await running();
  onTestFinished(async () => {
    if (await isRunning(server)) process.kill(server.pid, 'SIGKILL');
  });
  await killed.kill();
  return { ...server, url };
}

const ended = (server: Server) => vi.waitFor(async () => expect(await isRunning(server)).toBe(false));

// Where there is no /proc, nothing is found and nothing is ended.
describe.runIf(existsSync('/proc/self/cwd'))('a private Redis whose last user was killed', () => {
  it('is ended by the next one that starts, in any folder, once its own folder was removed', async () => {
    const server = await leftBehind();
    await rm(stateDir(), { recursive: true });
    const elsewhere = await mkdtemp(join(tmpdir(), 'flux-batch-elsewhere-'));
    onTestFinished(() => rm(elsewhere, { recursive: true, force: true, maxRetries: 10 }));
    const next = await privateRedis(elsewhere);
    // By this one, or by that of another test.
    await ended(server);
    await next.close();
  });

  it('is left with its data while its folder is there, moved or not', async () => {
    const server = await leftBehind();
    const look = () => endLostServers(async () => [server.pid]);
    expect(await look()).toEqual([]);
    const moved = `${stateDir()}-moved`;
    await rename(stateDir(), moved);
    onTestFinished(() => rm(moved, { recursive: true, force: true, maxRetries: 10 }));
    expect(await look()).toEqual([]);
    expect(await isRunning(server)).toBe(true);
    process.kill(server.pid, 'SIGTERM');
    await ended(server);
  });

  it('is left while somebody is connected to it', async () => {
    const server = await leftBehind();
    const client = clientOf(server.url);
    await client.ping();
    await rm(stateDir(), { recursive: true });
    const look = () => endLostServers(async () => [process.pid, server.pid]);
    expect(await look()).toEqual([]);
    client.disconnect();
    // By these looks, or by the start of another test's Redis.
    await vi.waitFor(async () => {
      await look();
      expect(await isRunning(server)).toBe(false);
    });
  });
});
