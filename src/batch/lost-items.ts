import pMap from 'p-map';
import { findRecord } from '../archive/read-records.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { type Cost, costOf } from '../money/estimate.ts';
import { kindOfItem } from '../money/prices.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';
import { recordedIds, settled } from './settle-ids.ts';
import { hadRecord } from './steps.ts';

/** Items that had ended, as Redis remembers, and whose record is not in the archive (any more). */
export type Lost = {
  count: number;
  archived: number;
  byModel: Record<string, number>;
  /** The archive that their batch was in. */
  archive: string;
};

const CHUNK = 500;
const READS_AT_ONCE = 32;

/** Undefined when none is lost. A batch that Redis does not know has lost nothing: its records are all there is. */
export async function lostItems(
  { records, state }: Pick<Connections, 'records' | 'state'>,
  batch: string,
  items: AsyncIterable<NewItem>,
): Promise<Lost | undefined> {
  const known = await state.counts(batch);
  if (!known || known.items.archived + known.items.failed + known.items.held === 0) return undefined;
  const recorded = await recordedIds(records.list(batch));
  const lost: Lost = { count: 0, archived: 0, byModel: {}, archive: known.archive };
  for await (const some of chunksOf(settled(batch, items, recorded, state.intake.states), CHUNK)) {
    const states = await state.intake.states(
      batch,
      some.map(({ id }) => id),
    );
    await pMap(
      some,
      async (item, index) => {
        const { id } = item;
        if (recorded.has(id) || !hadRecord(states[index])) return;
        // A worker may have written it since the listing.
        if (await findRecord(records, batch, id)) return;
        lost.count += 1;
        if (states[index] === 'archived') lost.archived += 1;
        const kind = kindOfItem(item);
        lost.byModel[kind] = (lost.byModel[kind] ?? 0) + 1;
      },
      { concurrency: READS_AT_ONCE },
    );
  }
  return lost.count > 0 ? lost : undefined;
}

/** `12 archived images of spring are gone from the archive …: making them again costs 96 credits`. */
export function describeLost(
  batch: string,
  lost: Lost,
  { archive, prices }: Pick<Connections, 'archive' | 'prices'>,
): string {
  const what =
    lost.archived === lost.count
      ? `${plural(lost.count, 'archived image')} of ${batch}`
      : `${plural(lost.count, 'item')} of ${batch} that had ended (${lost.archived} archived)`;
  const be = lost.count === 1 ? 'is' : 'are';
  const where =
    lost.archive === archive.url
      ? `${be} gone from the archive ${archive.url}`
      : `${be} in the archive ${lost.archive} and not in ${archive.url}`;
  return `${what} ${where}: ${priceOf(lost, costOf(lost.byModel, prices))}`;
}

function priceOf({ count }: Lost, { credits, unpriced }: Cost): string {
  const making = `making ${count === 1 ? 'it' : 'them'} again costs`;
  if (credits === undefined) return `${making} what is not known: no price for ${unpriced.join(', ')}`;
  return `${making} ${credits.toLocaleString('en-US')} credits`;
}

export function archiveLost(what: string, hint: string): UsageError {
  return new UsageError('archive-lost', what, { hint });
}
