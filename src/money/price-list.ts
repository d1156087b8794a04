import { z } from 'zod';
import { MODELS } from '../items/item.ts';

const credits = z.number().nonnegative();

/** A price of its own for each value of a parameter, or for each megapixel, of which the first may cost more. */
const priceSchema = z.union([
  credits,
  z.strictObject({ by: z.string(), prices: z.record(z.string(), credits), else: credits }),
  z.strictObject({ firstMegapixel: credits, nextMegapixel: credits }),
]);
export type Price = z.infer<typeof priceSchema>;

const dated = {
  /** The day on which somebody looked the prices up, or from which on they hold. */
  date: z.iso.date(),
  source: z.string(),
  usdPerCredit: z.number().positive(),
};
export const priceListSchema = z.strictObject({ ...dated, credits: z.record(z.string(), priceSchema) });
/** Of the default provider. */
export const defaultListSchema = z.strictObject({ ...dated, credits: z.partialRecord(z.enum(MODELS), credits) });
export type PriceList = z.infer<typeof priceListSchema>;
