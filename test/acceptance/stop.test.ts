import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted, expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const ITEMS = 40;

test.concurrent.for(['SIGINT', 'SIGTERM'] as const)(
  '%s drains: nothing is lost, and the same command goes on',
  async (signal, context) => {
    const place = await openPlace(context, { pace: { max: 5, windowMs: 500 }, simulator: { latencyMs: 200 } });
    const manifest = await place.manifest('stopped', promptsFor(ITEMS));
    const running = place.start(['run', manifest]);
    await until('some are submitted', () => accepted(place) >= 8);
    running.kill(signal);
    const stopped = await running.exit();

    expect(stopped.code, stopped.stderr).toBe(3);
    expect(stopped.stderr).toContain(`${signal}: no new submits`);
    expect(stopped.stderr).toMatch(/\d+ items not done yet: run the same command again to go on/);
    // What was in flight has its answer on record: nothing is in doubt.
    const records = await recordsOf(place, 'stopped');
    const begun = accepted(place);
    expect(begun).toBeLessThan(ITEMS);
    expect(records.filter((record) => 'taskId' in record)).toHaveLength(begun);
    expect(countBy(records)).not.toHaveProperty('claimed');
    expect(place.redis()).toBeUndefined();

    const { code, stderr } = await place.run(['run', manifest]);
    expect(code, stderr).toBe(0);
    expectOneTaskEach(place, ITEMS);
    expect(countBy(await recordsOf(place, 'stopped'))).toEqual({ archived: ITEMS });
    await expectImagesAsRecorded(place, 'stopped');
  },
);

test.concurrent('a second signal stops at once, and the same command goes on with what is in doubt held', async (context) => {
  const place = await openPlace(context, {
    pace: { max: 5, windowMs: 500 },
    simulator: { slowAnswerMs: 3_600_000, faults: [{ name: 'slow-answer', share: 1 }] },
    // So many in doubt would stop submitting for a minute, which is another test's.
    env: { UNKNOWN_LIMIT: '0' },
  });
  const manifest = await place.manifest('twice', promptsFor(15));
  const running = place.start(['run', manifest]);
  await until('a submit is under way', () => accepted(place) >= 1);
  running.kill('SIGINT');
  await until('it drains', () => running.stderr().includes('Once more to stop at once'));
  running.kill('SIGINT');
  const stopped = await running.exit();
  expect(stopped.code, stopped.stderr).toBe(3);
  // Draining would have waited until they were given up, and recorded that.
  expect(countBy(await recordsOf(place, 'twice'))).toHaveProperty('claimed');
  place.simulator.setFaults([]);

  const { code, stderr } = await place.run(['run', manifest]);
  const held = (await recordsOf(place, 'twice')).filter((record) => record.state === 'held');
  expect(held).not.toEqual([]);
  expect(code, stderr).toBe(1);
  for (const { id } of held) expect(stderr).toContain(`[${id}]`);
  expect(countBy(await recordsOf(place, 'twice')).archived).toBe(15 - held.length);
  expect(accepted(place)).toBeLessThanOrEqual(15);
  expect(place.simulator.ledger().repeatedRequests).toEqual([]);
});

test.concurrent('a worker drains on SIGTERM with exit code 0, and another takes over what is left', async (context) => {
  const place = await openPlace(context, { pace: { max: 5, windowMs: 500 }, simulator: { latencyMs: 200 } });
  const manifest = await place.manifest('relay', promptsFor(20));
  const first = place.start(['worker']);
  expect((await place.run(['enqueue', manifest])).code).toBe(0);
  await until('some are submitted', () => accepted(place) >= 5, { seen: first.stderr });
  const second = place.start(['worker']);
  await until('the second works', () => /^worker \d+: /m.test(second.stderr()));
  first.kill('SIGTERM');
  expect((await first.exit()).code, first.stderr()).toBe(0);

  await until('all are archived', async () => countBy(await recordsOf(place, 'relay')).archived === 20, {
    seen: second.stderr,
  });
  second.kill('SIGTERM');
  expect((await second.exit()).code, second.stderr()).toBe(0);
  expectOneTaskEach(place, 20);
});
