import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { MODELS } from '../items/item.ts';
import { PACKAGE_ROOT } from '../version.ts';

const pricesSchema = z.strictObject({
  /** The day on which somebody looked the prices up. */
  date: z.iso.date(),
  source: z.string(),
  usdPerCredit: z.number().positive(),
  credits: z.partialRecord(z.enum(MODELS), z.number().nonnegative()),
});
/** What an image costs, in credits for each model. Dated, because the provider changes it. */
export type Prices = z.infer<typeof pricesSchema>;

/** The file beside package.json; users edit it or name their own by FLUX_PRICES. */
export const PRICES_FILE = new URL('prices.json', PACKAGE_ROOT);

/** Throws a UsageError (`prices-invalid`) that names the file and what is wrong in it. */
export async function loadPrices(path: string | URL = PRICES_FILE): Promise<Prices> {
  try {
    return pricesSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new UsageError('prices-invalid', `Cannot read the prices in ${String(path)}: ${reason}`, { cause });
  }
}

/** What the cheapest image costs; 0 when no price is known. */
export function leastPrice({ credits }: Prices): number {
  const known = MODELS.flatMap((model) => credits[model] ?? []);
  return known.length === 0 ? 0 : Math.min(...known);
}

/** Undefined for a model without a price. */
export function creditsOf(prices: Prices, model: string): number | undefined {
  return MODELS.filter((known) => known === model).map((known) => prices.credits[known])[0];
}
