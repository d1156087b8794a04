import { describe, expect, test } from 'vitest';
import {
  type BatchCounts,
  doneOf,
  emptyCounts,
  hasEnded,
  isFinished,
  isOnRoute,
  isOutOfBudget,
  noItems,
  outlookOf,
} from '../../src/batch/counts.ts';
import { readCounts } from '../../src/fleet/batch-hash.ts';

const OUT_OF_CREDITS = { refusal: 'out-of-credits', message: 'none left', since: 0 };
const UNDER_WAY = ['submitting', 'submitted', 'finished'] as const;

function counts(items: Partial<BatchCounts['items']>, more: Partial<BatchCounts> = {}): BatchCounts {
  const total = Object.values(items).reduce((sum, count) => sum + count, 0);
  return { ...emptyCounts('spring'), sealed: true, total, items: { ...noItems(), ...items }, ...more };
}

describe('a batch has ended', () => {
  test('when it is in whole and no item waits or is under way', () => {
    const ended = { archived: 1, failed: 2, held: 3, cancelled: 4 };
    expect(hasEnded(counts(ended))).toBe(true);
    expect(doneOf(counts({ ...ended, queued: 5 }))).toBe(10);
    expect(hasEnded(counts(ended, { sealed: false }))).toBe(false);
    for (const state of ['queued', ...UNDER_WAY] as const)
      expect(hasEnded(counts({ ...ended, [state]: 1 })), state).toBe(false);
    for (const state of UNDER_WAY) {
      expect(hasEnded(counts({ queued: 1, [state]: 1 })), state).toBe(false);
      for (const other of UNDER_WAY)
        expect(hasEnded(counts({ [state]: 1, [other]: 1 })), `${state}, ${other}`).toBe(false);
    }
    expect(outlookOf(emptyCounts('unknown yet'), undefined, undefined)).toBe('enqueuing');
  });

  test('and is done with when the index shows what it has come to', () => {
    expect(isFinished(counts({ archived: 1 }, { version: 7, finishedVersion: 7 }))).toBe(true);
    expect(isFinished(counts({ archived: 1 }, { version: 8, finishedVersion: 7 }))).toBe(false);
    expect(isFinished(counts({ queued: 1 }, { version: 7, finishedVersion: 7 }))).toBe(false);
    const sealed = outlookOf(counts({ archived: 1 }, { version: 7, finishedVersion: 7 }), OUT_OF_CREDITS, 1);
    expect(sealed).toBe('ended');
  });
});

test.each(UNDER_WAY)('a batch that nothing can be submitted of is not stopped while an item is %s', (state) => {
  const look = (items: Partial<BatchCounts['items']>) => outlookOf(counts(items), OUT_OF_CREDITS, undefined);
  expect(look({ queued: 3, [state]: 1 })).toBe('running');
  expect(look({ queued: 3 })).toBe('stopped');
  expect(look({ queued: 3, submitted: 1, finished: 1 })).toBe('running');
});

test('only what a person has to mend stops a batch; what passes by itself is waited for', () => {
  const look = (refusal: string) => outlookOf(counts({ queued: 3 }), { ...OUT_OF_CREDITS, refusal }, undefined);
  expect(['unauthorized', 'out-of-credits', 'not-found'].map(look)).toEqual(['stopped', 'stopped', 'stopped']);
  expect(['maintenance', 'unreachable', 'too-many-unknown'].map(look)).toEqual(['running', 'running', 'running']);
});

test('a batch is not stopped while what waits in the archive may go another way; a pause keeps it there', () => {
  const look = (more: Partial<BatchCounts>) =>
    outlookOf(counts({ queued: 8 }, { unfed: 3, version: 7, ...more }), OUT_OF_CREDITS, undefined);
  expect([look({}), look({ fullVersion: 7 })]).toEqual(['stopped', 'stopped']);
  expect([look({ fullVersion: -1 }), look({ fullVersion: 6 })]).toEqual(['running', 'running']);
  expect(look({ fullVersion: 6, unfed: 0 })).toBe('stopped');
  expect(look({ fullVersion: 6, pausedAt: 5 })).toBe('stopped');
});

describe('a batch is out of its budget', () => {
  const dear = { overBudget: { items: 3, credits: 24 } };

  test('when all that waits costs more than there is room for', () => {
    expect(isOutOfBudget(counts({ queued: 3 }, dear))).toBe(true);
    expect(outlookOf(counts({ queued: 3 }, dear), undefined, undefined)).toBe('out-of-budget');
  });

  test('and not while something waits that fits, may fit, or is still to come', () => {
    expect(isOutOfBudget(counts({ queued: 4 }, dear))).toBe(false);
    expect(isOutOfBudget(counts({ queued: 3 }, { ...dear, mayHaveRoom: true }))).toBe(false);
    expect(isOutOfBudget(counts({ queued: 3 }, { ...dear, sealed: false }))).toBe(false);
    expect(isOutOfBudget(counts({}, dear))).toBe(false);
    expect(isOutOfBudget(counts({}))).toBe(false);
    for (const state of UNDER_WAY) expect(isOutOfBudget(counts({ queued: 3, [state]: 1 }, dear)), state).toBe(false);
  });
});

test('what waits in the archive is over budget once all before it is, and nothing of it can be fed as it stands', () => {
  const look = (more: Record<string, string>) =>
    readCounts(
      'spring',
      {
        sealed: '1',
        'n:queued': '5',
        unfed: '20',
        window: '5',
        beyond: '5',
        beyondCredits: '40',
        version: '7',
        ...more,
      },
      0,
    );
  expect(look({})).toMatchObject({ items: { queued: 25 }, overBudget: { items: 25, credits: 200 } });
  expect(look({ full: '7' }).overBudget).toEqual({ items: 25, credits: 200 });
  for (const full of ['-1', '6']) expect(look({ full }).overBudget).toEqual({ items: 5, credits: 40 });
  expect([look({ full: '7' }), look({ full: '6' })].map(isOutOfBudget)).toEqual([true, false]);
});

test('a batch is paused by its name or with all others, and not while its manifest is still coming', () => {
  expect(outlookOf(counts({ queued: 1 }), undefined, undefined)).toBe('running');
  expect(outlookOf(counts({ queued: 1 }, { pausedAt: 5 }), undefined, undefined)).toBe('paused');
  expect(outlookOf(counts({ queued: 1 }), undefined, 5)).toBe('paused');
  expect(outlookOf(counts({ queued: 1 }, { sealed: false, pausedAt: 5 }), undefined, undefined)).toBe('enqueuing');
});

test('a batch is on the route of its archive and its API; an older version named none', () => {
  const route = { archive: 's3://a', api: 'https://one' };
  const on = (archive: string, api: string) => isOnRoute(counts({}, { archive, api }), route);
  expect([on('s3://a', 'https://one'), on('', ''), on('s3://a', ''), on('', 'https://one')]).toEqual(
    Array(4).fill(true),
  );
  expect([on('s3://b', 'https://one'), on('s3://a', 'https://two'), on('', 'https://two'), on('s3://b', '')]).toEqual(
    Array(4).fill(false),
  );
});
