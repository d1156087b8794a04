import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { messageOf } from '../errors.ts';
import type { Item } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { releasedRecord } from '../items/transitions.ts';
import type { Ports, UnsentClaims } from './ports.ts';

/** Far more than submits can be under way in one process. */
const MOST_REMEMBERED = 10_000;
/** Withdrawing is tried this often. After that only this process's memory says that nothing was sent. */
const RETRY_DELAYS_MS = [100, 500, 2_000];

export function unsentClaims(): UnsentClaims {
  const claims = new LRUCache<string, true>({ max: MOST_REMEMBERED });
  // Two claims of one item differ in their time, since the later is made after the earlier was withdrawn.
  const keyOf = ({ batch, id, attempts, timings }: ItemRecord) => `${batch}/${id} ${attempts} ${timings.submitted}`;
  return {
    add: (claimed) => void claims.set(keyOf(claimed), true),
    has: (claimed) => claims.has(keyOf(claimed)),
    delete: (claimed) => void claims.delete(keyOf(claimed)),
  };
}

/**
 * Gives a claim back whose submit has started no task: nothing was sent, or it was refused. Never throws. The claim is remembered
 * first, for the next run here: it may be impossible to withdraw now, and a write that timed out may still arrive.
 */
export async function withdrawClaim(item: Item, claimed: ItemRecord, ports: Ports): Promise<void> {
  for (const delayMs of [...RETRY_DELAYS_MS, undefined]) {
    try {
      await releaseClaim(claimed, ports);
      break;
    } catch (error) {
      ports.log.warn({ batch: item.batch, item: item.id, reason: messageOf(error) }, 'claim not withdrawn yet');
      if (delayMs !== undefined) await sleep(delayMs);
    }
  }
  // Another state than `queued` does no harm: whoever runs the job next goes by the record.
  await ports.state.move(item, 'queued').catch(() => {});
}

/**
 * Remembers that a claim sent nothing, and gives its record back, only while it is that claim's. Throws the archive's errors; the
 * claim is remembered all the same.
 */
export async function releaseClaim(claimed: ItemRecord, ports: Pick<Ports, 'records' | 'unsentClaims'>): Promise<void> {
  ports.unsentClaims.add(claimed);
  await releaseUnsent(await ports.records.read(claimed.batch, claimed.id), ports);
}

/** The record, with its claim given back if this process knows that nothing came of it. */
export async function releaseUnsent(
  found: ItemRecord | undefined,
  { records, unsentClaims }: Pick<Ports, 'records' | 'unsentClaims'>,
): Promise<ItemRecord | undefined> {
  if (found?.state !== 'claimed' || !unsentClaims.has(found)) return found;
  const release = (now: ItemRecord | undefined) =>
    now?.state === 'claimed' && unsentClaims.has(now) ? releasedRecord(now) : undefined;
  const { record } = await records.update(found.batch, found.id, release, found);
  unsentClaims.delete(found);
  return record;
}
