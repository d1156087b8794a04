import { z } from 'zod';
import { MODELS } from '../items/item.ts';

export const pricesSchema = z.strictObject({
  /** The day on which somebody looked the prices up. */
  date: z.iso.date(),
  source: z.string(),
  usdPerCredit: z.number().positive(),
  credits: z.partialRecord(z.enum(MODELS), z.number().nonnegative()),
});
/** What an image costs, in credits for each model. Dated, because the provider changes it. */
export type Prices = z.infer<typeof pricesSchema>;

/** What the cheapest image costs; 0 when no price is known. */
export function leastPrice({ credits }: Prices): number {
  const known = MODELS.flatMap((model) => credits[model] ?? []);
  return known.length === 0 ? 0 : Math.min(...known);
}

/** Undefined for a model without a price. */
export function creditsOf(prices: Prices, model: string): number | undefined {
  return MODELS.filter((known) => known === model).map((known) => prices.credits[known])[0];
}
