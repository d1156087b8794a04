import { expect, test } from 'vitest';
import { countBy, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted } from './ledger.ts';
import { photosIn, taken } from './photos.ts';
import { openPlace } from './place.ts';

test('killed while it uploads, a batch loses no picture and pays none twice, and needs its files no more', async (context) => {
  const place = await openPlace(context, {
    pace: { max: 10, windowMs: 500 },
    simulator: { latencyMs: 60 },
    env: { ON_UNKNOWN: 'hold' },
  });
  const digests = await photosIn(place, 40);
  for (const goOnTo of [3, 12, 25]) {
    const running = place.start(['run', 'edits.yaml']);
    await until(
      'it has uploaded so much',
      () => place.simulator.ledger().uploads.stored >= goOnTo || !running.isRunning(),
      {
        seen: running.stderr,
      },
    );
    running.kill('SIGKILL');
    await running.exit();
  }
  const { code, stderr } = await place.run(['run', 'edits.yaml', '--yes']);
  const records = await recordsOf(place, 'edits');
  const held = records.filter(({ state }) => state === 'held').length;
  expect(code, stderr).toBe(held === 0 ? 0 : 1);
  expect((countBy(records).archived ?? 0) + held).toBe(40);
  expect(accepted(place)).toBeLessThanOrEqual(40);
  expect(place.simulator.ledger().repeatedRequests).toEqual([]);
  for (const [digest, times] of Object.entries(taken(place)))
    expect([digests.includes(digest), times]).toEqual([true, 1]);
});
