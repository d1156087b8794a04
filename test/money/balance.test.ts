import { expect, test } from 'vitest';
import { type Balance, describeBalance, unaccounted } from '../../src/money/balance.ts';

const say = (balance: Partial<Balance>) =>
  describeBalance({ before: 1_000, after: 872, known: 128, others: 0, doubtful: 0, ...balance }, '2025-08-01');

test('a balance that fell by what is known needs no more words', () => {
  expect(say({})).toBe('credits: 128 known, and the balance fell by 128');
});

test('held items may explain what is not accounted for', () => {
  expect(say({ after: 864, doubtful: 1 })).toBe(
    'credits: 128 known, balance fell by 136: 8 unaccounted — 1 held item may have been charged; else other users of the account, or prices unlike those of 2025-08-01, may explain it',
  );
});

test('without held items, others and prices may', () => {
  expect(say({ after: 860 })).toBe(
    'credits: 128 known, balance fell by 140: 12 unaccounted — other users of the account, or prices unlike those of 2025-08-01, may explain it',
  );
});

test('a balance that fell by less, or rose, accuses nobody either', () => {
  expect(say({ after: 880 })).toContain(
    '128 known, but the balance fell by 120: credits given back or bought meanwhile',
  );
  expect(say({ after: 1_500 })).toContain('128 known, but the balance rose by 500: credits given back or bought');
});

test('what other batches cost meanwhile is not held against this one', () => {
  expect(say({ after: 832, others: 40 })).toBe('credits: 128 known, 40 for other batches, and the balance fell by 168');
});

test('fractions of credits do not leave dust', () => {
  expect(unaccounted({ before: 1, after: 0.7, known: 0.1, others: 0.2, doubtful: 0 })).toBe(0);
});
