import { Redis } from 'ioredis';
import { expect, type TestContext, test } from 'vitest';
import { z } from 'zod';
import { LEAST_ACL } from '../../src/redis/explain.ts';
import { startRedis } from '../services/redis.ts';
import { until } from './cli.ts';
import { openPlace, promptsFor } from './place.ts';

/** A server whose user has only these rights. */
async function limitedRedis({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, rights: string) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const allow = (list: string) => admin.call('ACL', 'SETUSER', 'limited', ...list.split(' '));
  await allow(`on >secret ${rights}`);
  return { REDIS_URL: `redis://limited:secret@127.0.0.1:${server.port}`, allow };
}

const REFUSED = /^warning: .*NOPERM/m;

const summary = z.object({ items: z.object({ archived: z.number() }) });

test.concurrent('a Redis user with the least rights is enough for a whole batch, for status and for a scrape', async (context) => {
  const { REDIS_URL } = await limitedRedis(context, LEAST_ACL);
  const place = await openPlace(context, { env: { REDIS_URL } });
  const file = await place.manifest('limited', promptsFor(6));
  const run = await place.run(['run', file, '--yes', '--json']);
  expect(run.code, run.stderr).toBe(0);
  expect(run.stderr).not.toContain('INFO');
  expect(summary.parse(JSON.parse(run.stdout)).items.archived).toBe(6);

  const status = await place.run(['status', 'limited']);
  expect(status.code, status.stderr).toBe(0);
  expect(status.stdout).toContain('limited');

  const serve = place.start(['serve', '--port', '0']);
  const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(serve.stderr())?.[0];
  await until('it serves', () => address() !== undefined, { seen: serve.stderr });
  expect(await (await fetch(`${address()}/metrics`)).text()).toContain(
    'flux_items{batch="limited",state="archived"} 6',
  );
  serve.kill('SIGTERM');
  expect((await serve.exit()).code).toBe(0);
});

test.concurrent('a right that is missing is a mistake at once, which names the command and what to give', async (context) => {
  const { REDIS_URL } = await limitedRedis(context, `${LEAST_ACL} -xadd`);
  const place = await openPlace(context, { env: { REDIS_URL } });
  const file = await place.manifest('limited', promptsFor(2));
  for (const args of [['run', file, '--yes'], ['worker'], ['enqueue', file, '--yes']]) {
    const exit = await place.run(args);
    expect(exit.code, exit.stderr).toBe(2);
    expect(exit.stderr).toMatch(/^error: The Redis user of REDIS_URL may not use XADD/);
    expect(exit.stderr).toContain('ACL SETUSER');
  }
});

test.concurrent('a right that is taken away is told once and waited for, and Ctrl-C still ends the run', async (context) => {
  const { REDIS_URL, allow } = await limitedRedis(context, LEAST_ACL);
  const place = await openPlace(context, { env: { REDIS_URL }, pace: { max: 2, windowMs: 1_000 } });
  const file = await place.manifest('limited', promptsFor(12));
  const run = place.start(['run', file, '--yes', '--drain-timeout', '2s']);
  await until('it submits', () => place.simulator.ledger().tasks.accepted > 2, { seen: run.stderr });
  await allow('-eval -evalsha');
  await until('it tells', () => REFUSED.test(run.stderr()), { seen: run.stderr });
  await allow('+eval +evalsha');
  await until('it goes on', () => place.simulator.ledger().tasks.accepted > 7, { seen: run.stderr });
  await allow('-eval -evalsha');
  run.kill('SIGINT');
  const stopped = await run.exit();
  expect(stopped.stderr.match(new RegExp(REFUSED, 'gm'))).toHaveLength(1);
  await allow('+eval +evalsha');
  const again = await place.run(['run', file, '--yes']);
  expect(again.code, again.stderr).toBe(0);
  expect(place.simulator.ledger().tasks.accepted).toBe(12);
});
