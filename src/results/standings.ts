import type { Archive } from '../archive/archive.ts';
import { readBatchFile } from '../archive/batch-file.ts';
import { type BatchRecords, openBatchRecords } from '../archive/batch-records.ts';
import type { Records } from '../archive/records.ts';
import { messageOf } from '../errors.ts';
import { chargesOf } from '../items/charges.ts';
import type { ItemRecord } from '../items/record.ts';
import { firstTakeIds, takeOf } from '../items/takes.ts';
import { type Found, isReadable } from '../items/unreadable.ts';
import type { Prices } from '../money/prices.ts';
import { type ManifestOrder, manifestOrder } from './manifest-order.ts';

/** How an item stands in its batch. What the manifest does not tell is null. */
export type Standing = {
  /** The name's picture is this one: not of a former prompt, a job that was taken out, or an earlier take. */
  current: boolean;
  /** In the manifest, from 1. */
  order: number | null;
  job: string | null;
  file: string | null;
  line: number | null;
  /** What its tasks have cost: as the provider says, and else as was reckoned when they were submitted. */
  credits: number | null;
  /** 1, or from 2 on another image of the same request. */
  take: number;
};

/** What an archive has for an item, and how it stands in its batch where that was looked up. */
export type Listed = Found & { standing?: Standing };

export type StandingPorts = {
  archive: Archive;
  records: Pick<Records, 'read' | 'readMarked'>;
  prices: Prices;
  /** Told of segments that are lost or damaged, or cannot be written. */
  onDamaged?: (why: string) => void;
  /** Ended records that had to be read one by one are written into segments where they are so many; absent: they are not. */
  fewestToCover?: number;
};
export const ORDERS = ['id', 'manifest'] as const;
export type Order = (typeof ORDERS)[number];

/** All records of a batch with their standings, by id or as the manifest has them (what it does not have comes last). */
export async function* listedItems(
  batch: string,
  ports: StandingPorts,
  order: Order,
  signal?: AbortSignal,
): AsyncGenerator<Listed> {
  const { archive, onDamaged, fewestToCover } = ports;
  const manifest = await manifestOrder(archive, batch, (await readBatchFile(archive, batch))?.manifest);
  const covering = fewestToCover === undefined ? {} : { fewestToCover };
  const held = await openBatchRecords(ports, batch, { signal, onDamaged, ...covering });
  try {
    yield* standingsOf(held, manifest, order, ports.prices);
    // It saves the next reader time. Who may only read has what was asked for.
    await held.cover().catch((error: unknown) => onDamaged?.(`segments are not written: ${messageOf(error)}`));
  } finally {
    await held.close();
  }
}

async function* standingsOf(
  held: BatchRecords,
  manifest: ManifestOrder,
  order: Order,
  prices: Prices,
): AsyncGenerator<Listed> {
  const ids = held.ids();
  const others = ids.filter((id) => !manifest.places.has(id));
  const { isCurrent, takeOfOther, firstOf, takesOf } = await judged(held.these(others), manifest);
  const inOrder =
    order === 'id'
      ? ids
      : [
          ...[...manifest.places.keys()].flatMap((id) => [...(held.has(id) ? [id] : []), ...takesOf(id)]),
          ...others.filter((id) => firstOf(id) === undefined),
        ];
  for await (const found of held.these(inOrder)) {
    const {
      order: number = null,
      job = null,
      file = null,
      line = null,
    } = manifest.places.get(firstOf(found.id) ?? found.id) ?? {};
    const credits = isReadable(found) ? chargesOf(found, prices).known : null;
    const standing = { current: isCurrent(found.id), order: number, job, file, line, credits };
    yield { ...found, standing: { ...standing, take: takeOfOther(found.id) } };
  }
}

type Judged = {
  isCurrent(id: string): boolean;
  takeOfOther(id: string): number;
  /** The item of the manifest that another take is of. */
  firstOf(id: string): string | undefined;
  /** Its further takes, in their order. */
  takesOf(id: string): readonly string[];
};

/**
 * Decides by the records that the manifest does not have. A later take replaces the item that it is of. Of a batch whose whole
 * manifest is not known, the newest item of each other name is the current one.
 */
async function judged(others: AsyncIterable<Found>, { places, isWhole, hasName }: ManifestOrder): Promise<Judged> {
  const numbers = new Map<string, number>();
  const firsts = new Map<string, string>();
  const all = new Map<string, { id: string; take: number }[]>();
  const takes = new Map<string, { id: string; take: number }>();
  const newest = new Map<string, { id: string; at: string }>();
  for await (const found of others) {
    if (!isReadable(found)) continue;
    const take = takeOf(found);
    if (take > 1) numbers.set(found.id, take);
    const first = [...firstTakeIds(found)].find((id) => places.has(id));
    if (first !== undefined && take > 1) {
      firsts.set(found.id, first);
      all.set(first, [...(all.get(first) ?? []), { id: found.id, take }]);
    }
    if (first !== undefined) {
      if (found.state === 'archived' && take > (takes.get(first)?.take ?? 1)) takes.set(first, { id: found.id, take });
    } else if (!isWhole && !hasName(found.name, found.variant)) {
      const key = `${found.variant} ${found.name}`;
      const at = ageOf(found);
      if (at > (newest.get(key)?.at ?? '')) newest.set(key, { id: found.id, at });
    }
  }
  const current = new Set([...takes.values(), ...newest.values()].map(({ id }) => id));
  return {
    isCurrent: (id) => (places.has(id) ? !takes.has(id) : current.has(id)),
    takeOfOther: (id) => numbers.get(id) ?? 1,
    firstOf: (id) => firsts.get(id),
    takesOf: (id) => (all.get(id) ?? []).sort((a, b) => a.take - b.take).map((other) => other.id),
  };
}

/** A picture comes before none, then the later one. */
function ageOf({ state, timings }: ItemRecord): string {
  return `${state === 'archived' ? 1 : 0} ${timings.queued}`;
}
