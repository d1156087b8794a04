import { expect, test } from 'vitest';
import { redisRouteNames } from '../../src/fleet/route-names.ts';
import { ownRedis } from '../redis/connections.ts';

const [A, B] = ['/archive/a', '/archive/b'];
const [ONE, TWO] = ['http://one', 'http://two'];

function open() {
  const { keys, connection } = ownRedis();
  const redis = connection();
  return { redis, keys, names: redisRouteNames(redis, keys) };
}

test('the first route has plain names, every other its own, and each keeps what it has', async () => {
  const { names } = open();
  expect(await names.claim({ archive: A, api: ONE })).toEqual({ queues: '', api: '' });
  const second = await names.claim({ archive: B, api: ONE });
  expect(second).toEqual({ queues: expect.stringMatching(/^-[0-9a-f]{8}$/), api: '' });
  const third = await names.claim({ archive: A, api: TWO });
  expect(third).toMatchObject({ queues: expect.stringMatching(/^-/), api: expect.stringMatching(/^-/) });
  expect(third.queues).not.toBe(second.queues);
  expect(await names.claim({ archive: A, api: ONE })).toEqual({ queues: '', api: '' });
  expect(await names.claim({ archive: B, api: ONE })).toEqual(second);
  expect(new Set(await names.all())).toEqual(new Set(['', second.queues, third.queues]));
  expect(new Set(await names.all(ONE))).toEqual(new Set(['', second.queues]));
});

test('of many that come at once one has the plain names, and all of a route the same', async () => {
  const { names } = open();
  const routes = Array.from({ length: 20 }, (_, index) => ({ archive: `/archive/${index % 4}`, api: ONE }));
  const found = await Promise.all(routes.map((route) => names.claim(route)));
  expect(new Set(found.map(({ queues }) => queues)).size).toBe(4);
  for (const [index, { queues }] of found.entries()) expect(queues).toBe(found[index % 4]?.queues);
});

test('batches that an older version has begun keep the plain names for their archive', async () => {
  const { redis, keys, names } = open();
  await redis.zadd(keys.batches, 1, 'old');
  await redis.hset(keys.batch('old'), { archive: A, created: 1 });
  expect((await names.claim({ archive: B, api: ONE })).queues).not.toBe('');
  expect((await names.claim({ archive: A, api: ONE })).queues).toBe('');
});

test('who only looks takes no name, and sees the first where it has none', async () => {
  const { redis, keys, names } = open();
  expect(await names.look({ archive: A, api: ONE })).toMatchObject({ names: { queues: '', api: '' } });
  expect(await redis.exists(keys.routes)).toBe(0);
  await names.claim({ archive: A, api: ONE });
  const second = await names.claim({ archive: B, api: TWO });
  expect(await names.look({ archive: '/elsewhere', api: 'http://three' })).toEqual({
    names: { queues: '', api: '' },
    route: { archive: A, api: ONE },
  });
  const seen = { names: second, route: { archive: B, api: TWO } };
  expect(await names.look({ archive: '/elsewhere', api: TWO })).toEqual(seen);
  expect(await names.look({ archive: B, api: TWO })).toEqual(seen);
});

test('after a flush a route is found again by the names that its workers keep', async () => {
  const { redis, keys, names } = open();
  await names.claim({ archive: A, api: ONE });
  const second = await names.claim({ archive: B, api: ONE });
  await redis.del(keys.routes);
  await names.keep({ archive: B, api: ONE }, second);
  expect(await names.claim({ archive: B, api: ONE })).toEqual(second);
  expect((await names.claim({ archive: A, api: ONE })).queues).toBe('');
});
