import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadPrices, PRICES_FILE } from '../../src/money/load-prices.ts';
import { pricesOn } from '../../src/money/price-file.ts';
import { creditsOf, kindOf } from '../../src/money/prices.ts';
import { loadModels } from '../../src/provider/models/load-models.ts';
import { resolveOptions } from '../../src/simulator/options.ts';

const list = (date: string, pro: number) => ({
  date,
  source: 'a test',
  usdPerCredit: 0.005,
  credits: { 'flux-kontext-pro': pro },
});
const pro = (file: unknown, day: string) => creditsOf(pricesOn(file, day), 'flux-kontext-pro');

test('of several lists the newest holds that is not in the future, in whatever order they stand', () => {
  const file = { kie: [list('2026-06-09', 5), list('2027-01-01', 6), list('2025-08-01', 8)] };
  expect(['2025-08-01', '2026-06-08', '2026-06-09', '2026-12-31', '2027-01-01'].map((day) => pro(file, day))).toEqual([
    8, 8, 5, 5, 6,
  ]);
  expect(pro(file, '2024-01-01')).toBe(8);
});

test('one list alone holds whatever its date, and so does a file in the former form', () => {
  const former = { ...list('2030-01-01', 7), providers: { bfl: { ...list('2030-01-01', 4), usdPerCredit: 0.01 } } };
  expect(pro({ kie: list('2030-01-01', 7) }, '2026-01-01')).toBe(7);
  const prices = pricesOn(former, '2026-01-01');
  expect(creditsOf(prices, 'flux-kontext-pro')).toBe(7);
  expect(creditsOf(prices, 'bfl/flux-kontext-pro')).toBe(8);
  expect(prices.earliest).toBeUndefined();
});

test('each provider goes by its own dates', () => {
  const file = { kie: list('2026-01-01', 5), bfl: [list('2026-01-01', 4), list('2026-06-01', 3)] };
  expect(creditsOf(pricesOn(file, '2026-05-31'), 'bfl/flux-kontext-pro')).toBe(4);
  expect(creditsOf(pricesOn(file, '2026-06-01'), 'bfl/flux-kontext-pro')).toBe(3);
});

test.each([
  ['an unknown model', { kie: { ...list('2026-01-01', 5), credits: { 'flux-9': 1 } } }],
  ['no list', { kie: [] }],
  ['a date that is none', { kie: list('June 2026', 5) }],
  ['another provider', { kie: list('2026-01-01', 5), fal: list('2026-01-01', 5) }],
])('%s is refused', (_, file) => {
  expect(() => pricesOn(file, '2026-06-01')).toThrow();
});

test('every model of models.json has a price, and every price a model', async () => {
  const shipped = pricesOn(JSON.parse(readFileSync(PRICES_FILE, 'utf8')), '2026-11-01');
  const models = await loadModels();
  for (const provider of ['kie-jobs', 'bfl'] as const)
    expect(Object.keys(shipped.providers?.[provider]?.credits ?? {}).sort()).toEqual(
      Object.keys(models[provider]).sort(),
    );
});

test('a price by megapixel counts each begun one, and each picture to start from as one', () => {
  const shipped = pricesOn(JSON.parse(readFileSync(PRICES_FILE, 'utf8')), '2026-11-01');
  const cents = (query: string) => (creditsOf(shipped, `bfl/flux-2-pro${query}`) ?? 0) / 2;
  expect(cents('')).toBe(3);
  expect(cents('?height=1024&width=1024')).toBe(3);
  expect(cents('?height=1024&width=1040')).toBe(4.5);
  expect(cents('?height=2048&width=2048')).toBe(7.5);
  expect(cents('?images=2')).toBe(6);
});

test('several images of one task cost as many times the price, where the file of models says which parameter counts them', async () => {
  const shipped = await loadPrices();
  const priceOf = (model: string, parameters: Record<string, string | number>) =>
    creditsOf(shipped, kindOf({ provider: 'kie-jobs', model, parameters }));
  const seedream = 'bytedance/seedream-v4-text-to-image';
  expect(priceOf(seedream, {})).toBe(5);
  expect(priceOf(seedream, { max_images: 1 })).toBe(5);
  expect(priceOf(seedream, { max_images: 4, image_resolution: '2K' })).toBe(20);
  expect(priceOf('qwen/image-edit', { num_images: '3' })).toBe(15);
  expect(priceOf('ideogram/v3-remix', { num_images: '2', rendering_speed: 'TURBO' })).toBe(7);
  // Where nothing says that it counts images it does not.
  expect(priceOf('z-image', { n: 4 })).toBe(0.8);
});

test('the shipped file has Kontext at 5 and 10, before that at 8 and 12; the simulator charges as much', () => {
  const shipped = JSON.parse(readFileSync(PRICES_FILE, 'utf8'));
  const on = (day: string) => pricesOn(shipped, day).credits;
  expect(on('2026-06-08')).toEqual({ 'flux-kontext-pro': 8, 'flux-kontext-max': 12 });
  expect(on('2026-06-09')).toEqual({ 'flux-kontext-pro': 5, 'flux-kontext-max': 10 });
  expect(resolveOptions({}).prices).toEqual({ pro: 5, max: 10 });
});
