import { z } from 'zod';
import { defaultListSchema, priceListSchema } from './price-list.ts';
import type { Prices } from './prices.ts';

/** One list, or several of different dates. */
function listsOf<List extends z.ZodType>(list: List) {
  return z.preprocess((given) => (Array.isArray(given) ? given : [given]), z.array(list).min(1));
}

const others = {
  'kie-jobs': listsOf(priceListSchema).optional(),
  bfl: listsOf(priceListSchema).optional(),
};
const fileSchema = z.strictObject({ kie: listsOf(defaultListSchema), ...others });
/** As it was: one list, of the default provider, with those of others within. */
const formerFileSchema = defaultListSchema.extend({ providers: z.strictObject(others).optional() });

/**
 * The prices that hold on a day, such as `2026-06-09`: of each provider's lists the newest that is not of a later date, and where all
 * are, the first. Throws a ZodError.
 */
export function pricesOn(file: unknown, day: string): Prices {
  const lists = readLists(file);
  const earliest = pricesOf(lists, (some) => ordered(some)[0]);
  const prices = pricesOf(lists, (some) => ordered(some).findLast(({ date }) => date <= day) ?? ordered(some)[0]);
  return Object.values(lists).some((some) => (some?.length ?? 0) > 1) ? { ...prices, earliest } : prices;
}

function readLists(file: unknown): z.infer<typeof fileSchema> {
  if (typeof file !== 'object' || file === null || !('credits' in file)) return fileSchema.parse(file);
  const { providers, ...kie } = formerFileSchema.parse(file);
  return { kie: [kie], ...providers };
}

type Pick = <List extends { date: string }>(lists: readonly List[]) => List | undefined;

function pricesOf({ kie, 'kie-jobs': jobs = [], bfl = [] }: z.infer<typeof fileSchema>, pick: Pick): Prices {
  const [own, ofJobs, ofBfl] = [pick(kie), pick(jobs), pick(bfl)];
  if (!own) throw new TypeError('Expected prices of the default provider');
  if (!ofJobs && !ofBfl) return own;
  return { ...own, providers: { ...(ofJobs && { 'kie-jobs': ofJobs }), ...(ofBfl && { bfl: ofBfl }) } };
}

function ordered<List extends { date: string }>(lists: readonly List[]): List[] {
  return [...lists].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}
