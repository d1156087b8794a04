import type { Archive } from '../archive/archive.ts';
import type { Config } from '../config.ts';
import { FluxError } from '../errors.ts';
import { costOf, countOf, together } from '../money/estimate.ts';
import type { Prices } from '../money/prices.ts';
import { describeDifference } from '../plan/describe-difference.ts';
import { survey } from '../plan/survey.ts';
import type { Planned } from './flux-batch.ts';
import type { LoadedManifest } from './load-manifest.ts';

/** See `FluxBatch.plan`. */
export async function planned(
  archive: Archive,
  manifest: LoadedManifest,
  { config, prices, signal }: { config: Config; prices: Prices; signal?: AbortSignal | undefined },
): Promise<Planned> {
  const items = () => manifest.items(signal ? { signal } : {});
  const found = await survey(async () => archive, manifest.batch, items, config);
  if (found.kind === 'unreachable') throw new FluxError('archive-unreachable', found.message);
  const left = together(found.left, found.waiting);
  return {
    items: manifest.totals.items,
    toMake: countOf(left),
    waiting: countOf(found.waiting),
    archived: found.archived + found.adopted,
    begun: found.begun + found.unreadable + found.unread,
    credits: costOf(left, prices).credits ?? null,
    differences: found.difference ? describeDifference(found.difference) : [],
  };
}
