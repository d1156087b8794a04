import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { PACKAGE_ROOT } from '../version.ts';
import { pricesOn } from './price-file.ts';
import type { Prices } from './prices.ts';

/** The file beside package.json; users edit it or name their own by FLUX_PRICES. */
export const PRICES_FILE = new URL('prices.json', PACKAGE_ROOT);

/** Those of today (UTC), once: a process keeps the prices that it began with. Throws a UsageError (`prices-invalid`) that names the file and what is wrong in it. */
export async function loadPrices(path: string | URL = PRICES_FILE): Promise<Prices> {
  try {
    return pricesOn(JSON.parse(await readFile(path, 'utf8')), new Date().toISOString().slice(0, 10));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new UsageError('prices-invalid', `Cannot read the prices in ${String(path)}: ${reason}`, { cause });
  }
}
