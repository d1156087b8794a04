import { expect, onTestFinished, test, vi } from 'vitest';
import { connectRedis } from '../../src/redis/connection.ts';
import { startRedis } from '../services/redis.ts';

test('a server that takes connections and answers nothing is given up by a command, and told of by who waits', async () => {
  const server = await startRedis();
  const goOn = () => process.kill(server.pid, 'SIGCONT');
  onTestFinished(async () => {
    goOn();
    await server.stop();
  });
  process.kill(server.pid, 'SIGSTOP');
  const onAway = vi.fn();
  const waiting = connectRedis(server.url, { patient: true, name: 'worker', onAway });
  await expect(connectRedis(server.url, { patient: false, name: 'command' })).rejects.toMatchObject({
    code: 'redis-unreachable',
    message: expect.stringMatching(/^Redis does not answer at .*: not ready within 10s/),
  });
  await vi.waitFor(() => expect(onAway).toHaveBeenCalledOnce());
  goOn();
  const redis = await waiting;
  onTestFinished(() => redis.disconnect());
  expect(await redis.set('key', 'x')).toBe('OK');
});
