import { randomBytes } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openQueues } from '../../src/queue/queues.ts';
import { isRedisAway } from '../../src/redis/away.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { redisAway } from '../../src/redis/refusals.ts';
import { pictures, startCrew } from '../batch/crew.ts';
import { startRedis } from '../services/redis.ts';
import { itemNamed } from '../stages/rig.ts';

/** A command's connection, which does not wait. */
async function impatientAt(url: string) {
  const redis = await connectRedis(url, { patient: false, name: 'test' });
  onTestFinished(() => redis.disconnect());
  return redis;
}

function adminOf(url: string): Redis {
  const admin = new Redis(url);
  onTestFinished(() => admin.disconnect());
  return admin;
}

describe('a Redis that answers and cannot serve', () => {
  it('is waited for in the middle of adding many jobs at once', async () => {
    const crew = await startCrew();
    const admin = adminOf(crew.redis.url);
    const { queues, redis } = crew.connections;
    const items = ['one', 'two', 'three'].map((name) => itemNamed(name));
    await admin.config('SET', 'maxmemory', '1');
    const adding = Promise.all([queues.submitAll(items), queues.submitAgain([itemNamed('again')])]);
    await vi.waitFor(() => expect(redisAway(redis)?.message).toContain('OOM'));
    await admin.config('SET', 'maxmemory', '0');
    await adding;
    expect(await queues.byStage.submit.count()).toBe(4);
  });

  it('fails in words where many jobs are added at once and nobody waits', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const admin = adminOf(server.url);
    const queues = openQueues(await impatientAt(server.url), '{flux-batch}');
    onTestFinished(() => queues.close());
    await admin.config('SET', 'maxmemory', '1');
    await expect(queues.submitAll([itemNamed('one')])).rejects.toMatchObject({
      code: 'redis-refused',
      message: expect.stringMatching(/^Redis refuses a script: OOM /),
      hint: expect.stringContaining('flux-batch forget'),
    });
  });

  it('is waited for while it cannot save its data (MISCONF), by a whole fleet', async () => {
    // A directory stands where its dump goes.
    const server = await startRedis({ args: ['--save', '3600 1'] });
    onTestFinished(() => server.stop());
    const admin = adminOf(server.url);
    const dump = join(server.dir, 'dump.rdb');
    const saved = async (isWanted: 'ok' | 'err') => {
      await vi.waitFor(async () => {
        await admin.bgsave().catch(() => {});
        expect(await admin.info('persistence')).toContain(`rdb_last_bgsave_status:${isWanted}`);
      });
    };
    const crew = await startCrew({ redisUrl: server.url });
    await crew.enqueue('unsaved', pictures(40));
    await crew.work();
    // A server that cannot save does not end either.
    onTestFinished(() => void admin.config('SET', 'save', ''));
    await crew.until('unsaved', ({ items }) => items.archived > 3);
    await mkdir(dump);
    await saved('err');
    await vi.waitFor(() => expect(redisAway(crew.connections.redis)?.message ?? 'MISCONF').toContain('MISCONF'));
    const impatient = await impatientAt(server.url);
    await expect(impatient.set('a', 'x')).rejects.toMatchObject({
      code: 'redis-refused',
      message: expect.stringMatching(/^Redis refuses SET: MISCONF /),
      hint: expect.stringContaining('the space on its disk'),
    });
    expect(await impatient.get('a')).toBeNull();
    const waiting = crew.connections.redis.set('{flux-batch}:test', 'x');
    await vi.waitFor(() => expect(redisAway(crew.connections.redis)?.message).toContain('MISCONF'));
    await rmdir(dump);
    await saved('ok');
    expect(await waiting).toBe('OK');
    expect((await crew.ended('unsaved')).items.archived).toBe(40);
    expect(crew.simulator.ledger().tasks.accepted).toBe(40);
  });

  it('is waited for while it loads its data (LOADING), with connections that were kept', async () => {
    const server = await startRedis({ args: ['--enable-debug-command', 'yes'] });
    onTestFinished(() => server.stop());
    const admin = adminOf(server.url);
    const crew = await startCrew({ redisUrl: server.url });
    await crew.enqueue('loading', pictures(60));
    await crew.work();
    await crew.until('loading', ({ items }) => items.archived > 3);
    // A key in 20 ms. It answers after each kilobyte that it has read, and says so.
    for (let index = 0; index < 150; index++) await admin.set(`filler:${index}`, randomBytes(2_000));
    await admin.config('SET', 'key-load-delay', '20000');
    await admin.config('SET', 'loading-process-events-interval-bytes', '1024');
    const impatient = await impatientAt(server.url);
    const reloaded = admin.call('DEBUG', 'RELOAD');
    const refused = await vi.waitFor(async () => {
      const error: unknown = await impatient.set('{flux-batch}:test', 'x').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'redis-refused', message: expect.stringContaining('LOADING') });
      return error;
    });
    expect(refused).toMatchObject({ hint: expect.stringContaining('loads its data') });
    expect(isRedisAway(refused)).toBe(true);
    await vi.waitFor(() => expect(redisAway(crew.connections.redis)?.message ?? 'LOADING').toContain('LOADING'));
    const waiting = crew.connections.redis.set('{flux-batch}:test', 'x');
    expect(await reloaded).toBe('OK');
    expect(await waiting).toBe('OK');
    expect((await crew.ended('loading')).items.archived).toBe(60);
    expect(crew.simulator.ledger().tasks.accepted).toBe(60);
  });
});
