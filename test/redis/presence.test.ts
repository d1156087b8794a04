import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watchPresence } from '../../src/redis/presence.ts';
import { startRedis } from '../services/redis.ts';

test('that Redis is lost is one line with what to do, and that it is back another', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const lines: unknown[][] = [];
  const log = {
    error: (...line: unknown[]) => void lines.push(line),
    info: (...line: unknown[]) => void lines.push(line),
  };
  const presence = watchPresence(redis, log);
  onTestFinished(() => presence.stop());
  expect(presence.away()).toBeNull();
  await server.stop();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]).toEqual([
    expect.objectContaining({ kind: 'redis-unreachable', remedy: expect.stringContaining('REDIS_URL') }),
    'Redis does not answer',
  ]);
  expect(presence.away()?.since).toBeLessThan(Date.now());
  const again = await startRedis({ port: Number(new URL(server.url).port) });
  onTestFinished(() => again.stop());
  await vi.waitFor(() => expect(lines.at(-1)?.[1]).toBe('Redis answers again'));
  expect(lines).toHaveLength(2);
  expect(presence.away()).toBeNull();
});
