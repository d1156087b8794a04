import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { connect } from '../../src/wiring/connections.ts';
import { run } from '../commands/cli.ts';
import { pictures, startCrew } from './crew.ts';

test('a person may decide on a batch from a shell that names another API', async () => {
  const crew = await startCrew();
  const other = await startSimulator({ apiKey: crew.simulator.apiKey });
  onTestFinished(() => other.close());
  const elsewhere = { ...crew.env, FLUX_API_URL: other.url };
  await crew.enqueue('away', ['a lamp', 'a forbidden thing']);
  await crew.connections.control.pause('away');
  const fleet = await crew.work();
  expect(await run(elsewhere, 'resume', 'away')).toMatchObject({ code: 0 });
  expect(await crew.ended('away')).toMatchObject({ items: { archived: 1, failed: 1 } });
  const seen = crew.simulator.ledger().submits.seen;
  expect(await run(elsewhere, 'retry', 'away', '--yes')).toMatchObject({ code: 0 });
  await crew.until('away', ({ items }) => items.failed === 1 && crew.simulator.ledger().submits.seen > seen);

  const rescue = await run(elsewhere, 'rescue', 'away');
  expect(rescue).toMatchObject({ code: 2, stderr: expect.stringContaining('is made at') });

  // Redis is emptied: where it is made is known from batch.json.
  await fleet.drain(10_000);
  await crew.connections.redis.flushall();
  expect(await run(elsewhere, 'held', 'away')).toMatchObject({ code: 0 });
  expect((await crew.counts('away')).api).toBe(crew.config.apiUrl);
});

test('status says of a batch that it goes to another archive, and shows the queues of its own', async () => {
  const crew = await startCrew();
  await crew.enqueue('here', pictures(2));
  const there = { ...crew.env, ARCHIVE_URL: `${crew.env.ARCHIVE_URL}-2` };
  const seen = async (env: Record<string, string>) => (await run(env, 'status')).stdout;
  expect(await seen(crew.env)).not.toContain('goes to');
  // Nobody works for it yet: it is shown what there is.
  expect(await seen(there)).toMatch(/submit +2 +0/);
  const connections = await connect(loadConfig(there), { patient: false, prove: false });
  onTestFinished(() => connections.closers.closeAll());
  expect(await seen(there)).toMatch(/submit +0 +0/);
  expect(await seen(there)).toContain(`goes to ${crew.connections.archive.url}`);
});
