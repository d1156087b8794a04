import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '../../src/redis/connection.ts';
import { startRedis } from '../services/redis.ts';

test('a socket takes queues, their workers and a database', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-socket-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const path = join(folder, 'r.sock');
  const server = await startRedis({ dir: folder, args: ['--unixsocket', path] });
  onTestFinished(() => server.stop());
  const redis = await connectRedis(`redis+unix://${path}?db=3`, { patient: true, name: 'test' });
  const queue = new Queue('socket', { connection: redis });
  const worker = new Worker('socket', async ({ data }) => data.number * 2, { connection: redis });
  onTestFinished(async () => {
    await worker.close();
    await queue.close();
    redis.disconnect();
  });
  const done = new Promise((resolve) => worker.once('completed', (_, result) => resolve(result)));
  await queue.add('double', { number: 21 });
  expect(await done).toBe(42);
  expect(await redis.info('keyspace')).toMatch(/^db3:/m);
});
