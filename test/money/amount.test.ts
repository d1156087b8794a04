import { expect, test } from 'vitest';
import { parseAmount, parseBudget } from '../../src/money/amount.ts';
import { asksFirst } from '../../src/money/asks-first.ts';
import { budgetCredits, capped, describeBudget } from '../../src/money/budget.ts';
import { describeSpending } from '../../src/money/describe-spending.ts';
import { pricesOn } from '../../src/money/price-file.ts';

const list = { date: '2026-06-09', source: 'a test', usdPerCredit: 0.005, credits: { 'flux-kontext-pro': 5 } };
const PRICES = pricesOn(
  { kie: list, bfl: { ...list, usdPerCredit: 0.01, credits: { 'flux-2-pro': 3 } } },
  '2026-06-09',
);

test.each([
  ['1000', { amount: 1000, unit: 'credits' }],
  [' 12.50 usd', { amount: 12.5, unit: 'usd' }],
  ['12.5USD', { amount: 12.5, unit: 'usd' }],
  ['$3', { amount: 3, unit: 'usd' }],
  ['40 credits', { amount: 40, unit: 'credits' }],
])('%s is an amount', (text, amount) => {
  expect(parseAmount(text)).toEqual(amount);
});

test.each(['', 'abc', '-1', '1e3', '12eur', '$5 credits', '1,5'])('%j is none', (text) => {
  expect(() => parseAmount(text)).toThrow('Expected credits or USD');
});

test('a budget is of all, or of single accounts in their own credits or in USD', () => {
  const credits = (text: string) => budgetCredits(parseBudget(text), PRICES);
  expect(credits('1000')).toEqual({ all: 1000 });
  expect(credits('12.50usd')).toEqual({ all: 2500 });
  expect(credits('bfl=300')).toEqual({ accounts: { bfl: 600 } });
  expect(credits('20usd, kie=1000, bfl=5usd')).toEqual({ all: 4000, accounts: { kie: 1000, bfl: 1000 } });
  expect(budgetCredits(undefined, PRICES)).toBeUndefined();
});

test.each([
  ['0', 'above 0'],
  ['5,10', 'one amount for all'],
  ['bfl=5,bfl=6', 'one amount for bfl'],
  ['kie-jobs=5', 'account of kie'],
  ['fal=5', 'nobody has an account'],
  ['bfl=', 'Expected credits or USD'],
])('%s is no budget', (text, why) => {
  expect(() => parseBudget(text)).toThrow(why);
});

test('the question goes by what may be spent: each account up to its own budget, and all up to that of all', () => {
  const byModel = { 'flux-kontext-pro': 100, 'bfl/flux-2-pro': 100 };
  const at = (text: string) => capped(byModel, PRICES, budgetCredits(parseBudget(text), PRICES));
  expect(['9999', '1usd', 'bfl=30', 'kie=100,bfl=30', '120,kie=100,bfl=30'].map(at)).toEqual([
    1100, 200, 560, 160, 120,
  ]);
  expect(asksFirst(byModel, PRICES, { budget: parseBudget('kie=100,bfl=30'), confirmCredits: 160 })).toBe(false);
  expect(asksFirst(byModel, PRICES, { budget: parseBudget('kie=100,bfl=30'), confirmCredits: 159 })).toBe(true);
  expect(asksFirst({ another: 1 }, PRICES, { budget: parseBudget('1'), confirmCredits: 500 })).toBe(true);
  expect(describeSpending(byModel, PRICES, { budget: parseBudget('2usd,bfl=30') })).toBe(
    '200 to submit for 1,100 credits, about $5.50, up to the budget of 400 credits ($2.00), of bfl 60 credits ($0.30)',
  );
  expect(describeBudget({ accounts: { bfl: 60 } }, PRICES)).toBe('of bfl 60 credits ($0.30)');
});
