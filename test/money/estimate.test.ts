import { expect, test } from 'vitest';
import { parseBudget } from '../../src/money/amount.ts';
import { capped, fitsBudget, requirePrices } from '../../src/money/budget.ts';
import { costOf, countOf, describeAtMost, submitTimeMs, together } from '../../src/money/estimate.ts';
import { kindOfItem, kindOfSubmit } from '../../src/money/prices.ts';

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

const BOTH_PRICES = {
  ...PRICES,
  providers: { bfl: { date: '2026-02-28', source: 'test', usdPerCredit: 0.01, credits: { 'flux-kontext-pro': 6 } } },
};
const EITHER = 'flux-kontext-pro or bfl/flux-kontext-pro';

test('what several providers may make costs what the preferred one asks, and at most what the dearest does', () => {
  const cost = costOf({ 'flux-kontext-pro': 2, [EITHER]: 10 }, BOTH_PRICES);
  expect(cost).toMatchObject({ credits: 96, atMost: { credits: 16 + 120, by: ['bfl'] } });
  expect(cost.atMost?.usd).toBeCloseTo(0.68);
  expect(describeAtMost(cost)).toBe('at most 136 credits, about $0.68, if all that may go to bfl does');
  const turned = costOf({ 'bfl/flux-kontext-pro or flux-kontext-pro': 10 }, BOTH_PRICES);
  expect(turned).toEqual({ credits: 120, usd: 0.6, unpriced: [] });
  expect(costOf({ 'flux-kontext-pro or bfl/another': 1 }, BOTH_PRICES)).toMatchObject({
    credits: undefined,
    unpriced: ['bfl/another'],
  });
});

test('the most that a budget lets them cost goes by each account that they may come to', () => {
  const most = (budget: Parameters<typeof capped>[2]) => capped({ [EITHER]: 10 }, BOTH_PRICES, budget);
  expect(most({})).toBe(120);
  expect(most({ all: 90 })).toBe(90);
  expect(most({ accounts: { bfl: 24 } })).toBe(80 + 24);
  expect(most({ accounts: { kie: 16, bfl: 24 } })).toBe(40);
  expect(capped({ 'bfl/flux-kontext-pro': 10 }, BOTH_PRICES, { accounts: { kie: 16 } })).toBe(120);
});

test('a budget is enough wherever they are made, or only where each is made by the first, or not', () => {
  const fits = (budget: Parameters<typeof fitsBudget>[2]) =>
    fitsBudget({ 'flux-kontext-pro': 2, [EITHER]: 10 }, BOTH_PRICES, budget);
  expect([fits({}), fits({ all: 136 }), fits({ all: 135 }), fits({ all: 95 })]).toEqual([
    ...['wherever', 'wherever', 'at-first', 'no'],
  ]);
  expect(fits({ accounts: { bfl: 119 } })).toBe('at-first');
  expect(fits({ accounts: { kie: 95, bfl: 120 } })).toBe('no');
  expect(fits({ accounts: { kie: 96, bfl: 120 } })).toBe('wherever');
  expect(fitsBudget({ another: 1 }, BOTH_PRICES, { all: 1_000 })).toBe('no');
});

test('an item is priced by those that may make it, and by its own one once it may have been sent', () => {
  const item = {
    request: { prompt: 'A kite', model: 'flux-kontext-pro', outputFormat: 'jpeg' as const },
    providers: ['kie', 'bfl'] as ['kie', 'bfl'],
  };
  expect(kindOfItem(item)).toBe(EITHER);
  expect(kindOfItem({ request: item.request })).toBe('flux-kontext-pro');
  expect(kindOfSubmit(item, undefined)).toBe(EITHER);
});
