import { expect, test } from 'vitest';
import { parseBudget } from '../../src/money/amount.ts';
import { requirePrices } from '../../src/money/budget.ts';
import { costOf, countOf, submitTimeMs, together } from '../../src/money/estimate.ts';

const PRICES = {
  date: '2025-08-01',
  source: 'test',
  usdPerCredit: 0.005,
  credits: { 'flux-kontext-pro': 8, 'flux-kontext-max': 16 },
};

test('images cost what their models do, together', () => {
  const cost = costOf({ 'flux-kontext-pro': 3, 'flux-kontext-max': 2 }, PRICES);
  expect(cost).toEqual({ credits: 56, usd: 0.28, unpriced: [] });
  expect(costOf({}, PRICES)).toEqual({ credits: 0, usd: 0, unpriced: [] });
});

test('one model without a price leaves the whole without one, and is named', () => {
  const cost = costOf({ 'flux-kontext-pro': 3, another: 1 }, PRICES);
  expect(cost).toEqual({ credits: undefined, usd: undefined, unpriced: ['another'] });
});

test('a budget needs the price of every model; without a budget none is needed', () => {
  const files = { pricesFile: 'own.json' };
  const demand = (budget: string | undefined, model: string) => () =>
    requirePrices({ [model]: 1 }, PRICES, { budget: budget === undefined ? undefined : parseBudget(budget), ...files });
  expect(demand('100', 'another')).toThrow(
    expect.objectContaining({
      code: 'price-missing',
      message: 'No price for another in own.json: the budget cannot be kept',
      hint: expect.stringContaining('BUDGET_CREDITS'),
    }),
  );
  const none = { budget: parseBudget('100'), pricesFile: undefined };
  expect(() => requirePrices({ another: 1 }, PRICES, none)).toThrow('prices.json');
  expect(demand('bfl=1usd', 'another')).toThrow();
  expect(demand('100', 'flux-kontext-pro')).not.toThrow();
  expect(demand(undefined, 'another')).not.toThrow();
});

test('submits take as many windows as the limit leaves after the first, whose worth goes at once', () => {
  const rate = { max: 20, windowMs: 10_000 };
  expect([0, 1, 20, 21, 40, 41].map((items) => submitTimeMs(items, rate))).toEqual([0, 0, 0, 10_000, 10_000, 20_000]);
});

test('counts by model are added, and neither of both is changed', () => {
  const [some, others] = [
    { a: 1, b: 2 },
    { b: 3, c: 4 },
  ];
  expect(together(some, others)).toEqual({ a: 1, b: 5, c: 4 });
  expect([some, others]).toEqual([
    { a: 1, b: 2 },
    { b: 3, c: 4 },
  ]);
  expect(countOf(together(some, others))).toBe(10);
  expect(countOf({})).toBe(0);
});
