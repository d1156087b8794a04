import { describe, expect, test } from 'vitest';
import { redisDurations } from '../../src/fleet/durations.ts';
import { ownRedis } from '../redis/connections.ts';

describe('the durations seen lately', () => {
  test('are ascending, kept per model, and seen by the whole fleet', async () => {
    const { keys, connection } = ownRedis();
    const [mine, theirs] = [redisDurations(connection(), keys), redisDurations(connection(), keys)];
    for (const ms of [300, 20, 1_000]) await mine.add('pro', ms);
    await mine.add('max', 7);
    expect(await theirs.sample('pro')).toEqual([20, 300, 1_000]);
    expect(await theirs.sample('max')).toEqual([7]);
  });

  test('are the latest three hundred', async () => {
    const { keys, connection } = ownRedis();
    const durations = redisDurations(connection(), keys);
    await Promise.all(Array.from({ length: 320 }, (_, index) => durations.add('pro', index + 1)));
    const sample = await durations.sample('pro');
    expect(sample).toHaveLength(300);
    expect(sample[0]).toBe(21);
  });

  test('that could not be read once are read anew the next time', async () => {
    const { keys, connection } = ownRedis();
    const redis = connection();
    const durations = redisDurations(redis, keys);
    await redis.set(keys.durations('pro'), 'not a list');
    await expect(durations.sample('pro')).rejects.toThrow('WRONGTYPE');
    await redis.del(keys.durations('pro'));
    await durations.add('pro', 5);
    expect(await durations.sample('pro')).toEqual([5]);
  });
});
