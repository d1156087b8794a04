import { describe, expect, test } from 'vitest';
import { drawView, lineOf, type View } from '../../src/progress/view.ts';
import { batch, lane, look, use } from '../diagnosis/looked.ts';

type Seen = Parameters<typeof look>[0];

function view(seen: Seen = {}, changes: Partial<View> = {}): View {
  const counts = changes.counts ?? batch({ queued: 60, submitted: 20, archived: 20 }, { credits: 320 });
  const rates = { ...look().rates, submit: use({ inWindow: 18 }) };
  return {
    counts,
    elapsedMs: 10_000,
    snapshot: look({ batches: [counts], rates, ...seen }),
    prices: { date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: {} },
    ...changes,
  };
}

test('the display shows progress, states, the rate against its limit and the cost', () => {
  expect(drawView(view())).toEqual([
    'spring  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 20%  20/100  10s  ~54s left',
    '  queued 60 · running 20 · archiving 0 · archived 20',
    '  rate 18 of 20 in 10s   spent 320 credits ($1.60)',
  ]);
});

test('a pause, refusals and a learned limit are told, and what to do', () => {
  const submit = use({ limit: 12, inWindow: 3, pausedMs: 2_000, sent: 40, refused: 4, refusedAt: 99_000 });
  const line = lineOf(view({ rates: { ...look().rates, submit } }));
  expect(line).toContain('rate 3 of 12 in 10s · learned, 20 configured · 4 429s so far · paused for 2s');
  expect(line).toMatch(/; the provider refuses submits for their rate \(429\).*FLUX_RATE_LIMIT$/);
});

test('the rate is that of the accounts that submits went to', () => {
  const submitsOf = (changes: Parameters<typeof use>[0]) => ({ rates: { ...look().rates, submit: use(changes) } });
  const direct = lane('bfl', {
    ...submitsOf({ inWindow: 3, limit: 10, configured: 10, windowMs: 1_000, sent: 9 }),
    ...{ vendor: 'bfl' },
  });
  const kie = lane('kie', submitsOf({ inWindow: 18, sent: 40 }));
  expect(lineOf(view({ lanes: [kie, direct] }))).toContain('rate 18 of 20 in 10s and 3 of 10 in 1s;');
  expect(lineOf(view({ lanes: [lane('kie'), direct] }))).toContain('rate 3 of 10 in 1s;');
  const unused = lane('bfl', { ...submitsOf({ limit: 10, configured: 10, windowMs: 1_000 }), vendor: 'bfl' });
  expect(lineOf(view({ lanes: [lane('kie'), unused] }))).toContain('rate 0 of 20 in 10s;');
});

test('the reason why submitting is stopped is told, and what ends that', () => {
  const breaker = { refusal: 'out-of-credits', message: 'please top up', since: 90_000 };
  const [, , , what, remedy, ...rest] = drawView(view({ breaker }));
  expect(what).toMatch(/^ {2}submitting is stopped \(out-of-credits\): please top up \(since \S+, 10s\)$/);
  expect(remedy).toMatch(/top it up; by hand: flux-batch gate open \(docs\/troubleshooting.md#out-of-credits\)$/);
  expect(rest).toEqual([]);
});

test('no time left is claimed before anything tells it', () => {
  expect(lineOf(view({ durations: null }, { counts: batch({ submitted: 3 }) }))).not.toContain('left');
});

test('that no worker was heard of yet is no finding in the first moments', () => {
  expect(drawView(view({ workers: [] }, { elapsedMs: 250 }))).toHaveLength(3);
  expect(drawView(view({ workers: [] }))).toContain('  no worker runs');
});

describe('somebody out of reach', () => {
  const faults = [{ kind: 'archive-unreachable' as const, message: 'ECONNREFUSED', since: 0, last: 99_000 }];

  test('is told in the frame and in the line, with since when, and no time left is claimed', () => {
    const waiting = /waiting for the archive: ECONNREFUSED \(since \d\d:\d\d:\d\d, 1m 40s\)/;
    expect(drawView(view({ faults })).at(-2)).toMatch(waiting);
    expect(lineOf(view({ faults }))).toMatch(waiting);
    expect(lineOf(view({ faults }))).toContain('stands still: no time left known');
  });

  test('is Redis, beside what was seen last', () => {
    const redisAway = { message: 'it does not answer', since: 20_000 };
    expect(lineOf(view({ redisAway }))).toMatch(/20\/100 done.*waiting for Redis: it does not answer/);
  });

  test('puts images at risk that wait longer than their original URL lives', () => {
    const drawn = drawView(view({ atRisk: { origin: 0, outlived: 3, stored: 0 } }));
    expect(drawn).toContain('  at risk: 3 images wait longer than their original URL lives');
  });
});
