import { fromJsonFile } from '../files/json-file.ts';
import type { CountParameter } from '../items/image-count.ts';
import { loadModels } from '../provider/models/load-models.ts';
import type { Models } from '../provider/models/sheet.ts';
import { PACKAGE_ROOT } from '../version.ts';
import { pricesOn } from './price-file.ts';
import type { Prices } from './prices.ts';

/** The file beside package.json; users edit it or name their own by FLUX_PRICES. */
export const PRICES_FILE = new URL('prices.json', PACKAGE_ROOT);

type Files = { pricesFile?: string | URL | undefined; modelsFile?: string | undefined };

/**
 * Those of today (UTC), once: a process keeps the prices that it began with. Of models that make several images for one task, the file of
 * models says which parameter counts them. Throws a UsageError (`prices-invalid`, `models-invalid`) that names the file and what is wrong in it.
 */
export async function loadPrices({ pricesFile = PRICES_FILE, modelsFile }: Files = {}): Promise<Prices> {
  const today = new Date().toISOString().slice(0, 10);
  const wanted = { what: 'prices', code: 'prices-invalid', variable: 'FLUX_PRICES' };
  const prices = await fromJsonFile(pricesFile, (json) => pricesOn(json, today), wanted);
  const counts = countsOf(await loadModels(modelsFile));
  return { ...prices, counts, ...(prices.earliest && { earliest: { ...prices.earliest, counts } }) };
}

function countsOf(models: Models): Record<string, CountParameter> {
  const ofProvider = (provider: keyof Models) =>
    Object.entries(models[provider]).flatMap(([model, { imageCount }]) =>
      imageCount === undefined ? [] : [[`${provider}/${model}`, imageCount] as const],
    );
  return Object.fromEntries([...ofProvider('kie-jobs'), ...ofProvider('bfl')]);
}
