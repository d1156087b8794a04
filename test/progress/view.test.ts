import { describe, expect, test } from 'vitest';
import { emptyCounts } from '../../src/batch/counts.ts';
import { drawView, lineOf, type View } from '../../src/progress/view.ts';
import { type Wait, waitsOf } from '../../src/progress/waits.ts';

function view(changes: Partial<View> = {}): View {
  return {
    counts: {
      ...emptyCounts('spring'),
      total: 100,
      credits: 320,
      items: { ...emptyCounts('spring').items, queued: 60, submitted: 20, archived: 20 },
    },
    before: undefined,
    startedAt: 0,
    now: 10_000,
    breaker: undefined,
    allPausedAt: undefined,
    usage: { limit: 20, inWindow: 18, pausedMs: 0, sent: 40, refused: 0, marginMs: 100 },
    rateLimit: { max: 20, windowMs: 10_000 },
    prices: { date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: {} },
    waits: [],
    outlived: 0,
    ...changes,
  };
}

test('the display shows progress, states, the rate against its limit and the cost', () => {
  expect(drawView(view())).toEqual([
    'spring  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 20%  20/100  10s  ~40s left',
    '  queued 60 · running 20 · archiving 0 · archived 20',
    '  rate 18 of 20/10s   spent 320 credits ($1.60)',
  ]);
});

test('a pause, refusals and a learned limit are told', () => {
  const usage = { limit: 12, inWindow: 3, pausedMs: 2_000, sent: 40, refused: 4, marginMs: 150 };
  expect(lineOf(view({ usage }))).toContain('rate 3 of 20/10s, 12 learned · 429s 4 · paused 2s');
});

test('the reason why submitting is stopped is told, and what ends that', () => {
  const breaker = { refusal: 'out-of-credits', message: 'please top up', since: 0 };
  expect(drawView(view({ breaker })).slice(-2)).toEqual([
    '  submitting is stopped (out-of-credits) for 10s: please top up',
    '    it lifts when the account has credits again (asked every 15s): top it up; by hand: flux-batch gate open',
  ]);
});

test('no time left is claimed before anything tells it', () => {
  const counts = { ...emptyCounts('b'), total: 3, items: { ...emptyCounts('b').items, submitted: 3 } };
  expect(lineOf(view({ counts }))).not.toContain('left');
});

test('what was done before this command began does not make its pace look faster', () => {
  const before = { ...emptyCounts('spring'), items: { ...emptyCounts('spring').items, archived: 20 } };
  // Nothing was done since: only the limit tells, 60 items at 2 a second.
  expect(lineOf(view({ before }))).toContain('~30s left');
});

describe('somebody out of reach', () => {
  const waits: Wait[] = [{ kind: 'archive-unreachable', message: 'ECONNREFUSED', forMs: 300_000 }];

  test('is told in the frame and in the line, with since when, and no time left is claimed', () => {
    const waiting = /waiting for the archive since \d\d:\d\d:\d\d \(5m 00s\): ECONNREFUSED/;
    expect(drawView(view({ waits })).at(-1)).toMatch(waiting);
    expect(lineOf(view({ waits }))).toMatch(waiting);
    expect(lineOf(view({ waits }))).not.toContain('left');
  });

  test('is the API where its breaker says so, which the frame tells once', () => {
    const breaker = { refusal: 'unreachable', message: 'ECONNREFUSED', since: 4_000, probeAt: 11_000 };
    const api = waitsOf(breaker, [], 10_000);
    expect(api).toEqual([{ kind: 'unreachable', message: 'ECONNREFUSED', forMs: 6_000 }]);
    expect(lineOf(view({ breaker, waits: api }))).toContain('waiting for the API since');
    expect(drawView(view({ breaker, waits: api })).filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
    expect(waitsOf({ ...breaker, refusal: 'maintenance' }, [], 10_000)).toEqual([]);
  });

  test('puts images at risk that wait longer than their original URL lives', () => {
    expect(drawView(view({ outlived: 3 })).at(-1)).toBe(
      '  at risk: 3 images wait longer than their original URL lives',
    );
  });
});
