import { expect, test } from 'vitest';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

/** Answers that leave in doubt whether there is a task: one submit each. */
const DOUBTFUL = [
  { name: 'reset-after-accept', times: 1 },
  { name: 'empty-body', times: 1 },
  { name: 'html-body', times: 1 },
  { name: 'truncated-body', times: 1 },
  { name: 'no-task-id', times: 1 },
  { name: 'slow-answer', times: 1 },
  { name: '500-http', times: 1 },
  { name: 'code-500', times: 1, charged: true },
] as const;
const ITEMS = 20;
/** So many in a row would stop submitting for a minute, which is another test's. */
const UNBROKEN = { UNKNOWN_LIMIT: '0', FLUX_SUBMIT_TIMEOUT: '10s' };

test.concurrent('submits without an answer to trust are held and named, and are not submitted again', async (context) => {
  const place = await openPlace(context, { simulator: { faults: DOUBTFUL, slowAnswerMs: 60_000 }, env: UNBROKEN });
  const manifest = await place.manifest('doubtful', promptsFor(ITEMS));

  const first = await place.run(['run', manifest]);
  expect(first.code, first.stderr).toBe(1);
  expect(countBy(await recordsOf(place, 'doubtful'))).toEqual({
    archived: ITEMS - DOUBTFUL.length,
    held: DOUBTFUL.length,
  });
  for (const record of await recordsOf(place, 'doubtful')) {
    if (record.state !== 'held') continue;
    expect(record.failure.class).toBe('unknown-outcome');
    expect(first.stderr).toMatch(new RegExp(`held .*${record.name} .*unknown-outcome: .*\\[${record.id}\\]`));
  }
  const again = await place.run(['run', manifest]);
  expect(again.code, again.stderr).toBe(1);
  // One of them, the plain 500, was answered before there was a task.
  expectOneTaskEach(place, ITEMS - 1);
  expect(place.simulator.ledger().submits.seen).toBe(ITEMS);
  await expectImagesAsRecorded(place, 'doubtful');
});

test.concurrent('with resubmit, held items are submitted again and archived, and only those are paid for twice', async (context) => {
  const place = await openPlace(context, { simulator: { faults: DOUBTFUL, slowAnswerMs: 60_000 }, env: UNBROKEN });
  const manifest = await place.manifest('doubtful', promptsFor(ITEMS));

  expect((await place.run(['run', manifest])).code).toBe(1);
  const { code, stderr } = await place.run(['run', manifest, '--on-unknown', 'resubmit']);
  expect(code, stderr).toBe(0);
  expect(countBy(await recordsOf(place, 'doubtful'))).toEqual({ archived: ITEMS });
  expect(place.simulator.ledger().submits.seen).toBe(ITEMS + DOUBTFUL.length);
  await expectImagesAsRecorded(place, 'doubtful');
});

test.concurrent('what the content policy refuses fails with its reason, the rest is archived, and the exit code is 1', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('policy', ['A forbidden place', 'A censored place', 'A lighthouse']);
  const { code, stderr } = await place.run(['run', manifest]);

  expect(code, stderr).toBe(1);
  expect(stderr).toContain('policy: 1 of 3 images archived');
  expect(stderr).toMatch(/failed {2}item-1 {2}content-policy: content policy violation/);
  expect(stderr).toMatch(/failed {2}item-2 {2}content-policy: content policy violation/);
  expect(countBy(await recordsOf(place, 'policy'))).toEqual({ archived: 1, failed: 2 });

  const seen = place.simulator.ledger().submits.seen;
  expect((await place.run(['run', manifest])).code).toBe(1);
  expect(place.simulator.ledger().submits.seen).toBe(seen);
});

test.concurrent('when the credits run out, what runs is archived, the rest waits, and the exit code is 3', async (context) => {
  const place = await openPlace(context, { simulator: { credits: 8 * 5 } });
  const manifest = await place.manifest('broke', promptsFor(9));
  const { code, stderr } = await place.run(['run', manifest]);

  expect(code, stderr).toBe(3);
  expect(stderr).toContain('submitting is stopped (out-of-credits)');
  expect(stderr).toContain('4 items not done yet');
  expectOneTaskEach(place, 5);
  expect(countBy(await recordsOf(place, 'broke')).archived).toBe(5);
});
