import { fromJsonFile } from '../files/json-file.ts';
import { PACKAGE_ROOT } from '../version.ts';
import { pricesOn } from './price-file.ts';
import type { Prices } from './prices.ts';

/** The file beside package.json; users edit it or name their own by FLUX_PRICES. */
export const PRICES_FILE = new URL('prices.json', PACKAGE_ROOT);

/** Those of today (UTC), once: a process keeps the prices that it began with. Throws a UsageError (`prices-invalid`) that names the file and what is wrong in it. */
export async function loadPrices(path: string | URL = PRICES_FILE): Promise<Prices> {
  const today = new Date().toISOString().slice(0, 10);
  const wanted = { what: 'prices', code: 'prices-invalid', variable: 'FLUX_PRICES' };
  return fromJsonFile(path, (json) => pricesOn(json, today), wanted);
}
