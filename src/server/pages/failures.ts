import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { messageOf } from '../../errors.ts';
import type { Connections } from '../../wiring/connections.ts';
import type { FailureGroup } from './batch.ts';

/** At most this many records are read for a page, of the items that failed or were held last. The rest are only counted. */
const MOST_READ = 500;
const READS_AT_ONCE = 16;
const MOST_KEPT = 5_000;
const MOST_BATCHES = 100;
/** An item that is retried may fail for another reason. */
const KEPT_FOR_MS = 60_000;
const MOST_NAMES = 12;
const MOST_REASONS = 20;

type Ended = { name: string; class: string; message: string; state: 'failed' | 'held' };

/** Reads from the records why items failed or are held, the most frequent class first. */
export function failureReader({ state, records }: Pick<Connections, 'state' | 'records'>) {
  const limit = pLimit(READS_AT_ONCE);
  const read = async (key: string): Promise<Ended | undefined> => {
    const [batch = '', id = ''] = key.split('/');
    const record = await records.read(batch, id);
    if (record?.state !== 'failed' && record?.state !== 'held') return undefined;
    const { class: failureClass, message } = record.failure;
    return { name: record.name, class: failureClass, message, state: record.state };
  };
  const ended = new LRUCache<string, Ended>({ max: MOST_KEPT, ttl: KEPT_FOR_MS, fetchMethod: read });

  /** A worker of an older version notes none as recent. Looking through all items is slow, so it is not done for each page. */
  const searched = new LRUCache<string, string[]>({
    max: MOST_BATCHES,
    ttl: KEPT_FOR_MS,
    async fetchMethod(batch) {
      const ids: string[] = [];
      for await (const id of state.itemsIn(batch, ['failed', 'held'])) {
        ids.push(id);
        if (ids.length === MOST_READ) break;
      }
      return ids;
    },
  });

  return async (batch: string, troubled: number): Promise<{ failures: FailureGroup[]; unread: number }> => {
    const recent = troubled === 0 ? [] : await state.recentlyTroubled(batch);
    const others = recent.length < Math.min(troubled, MOST_READ) ? ((await searched.fetch(batch)) ?? []) : [];
    const ids = [...new Set([...recent, ...others])].slice(0, MOST_READ);
    const found = await Promise.all(
      ids.map((id) => limit(() => ended.fetch(`${batch}/${id}`).catch((error: unknown) => unreadable(id, error)))),
    );
    const known = found.filter((one) => one !== undefined);
    return { failures: groupsOf(known), unread: Math.max(0, troubled - known.length) };
  };
}

function unreadable(id: string, error: unknown): Ended {
  return { name: id, class: 'record-corrupt', message: messageOf(error), state: 'failed' };
}

export function groupsOf(ended: readonly Ended[]): FailureGroup[] {
  const classes = grouped(ended, (one) => `${one.state} ${one.class}`);
  return [...classes.values()]
    .map((members) => ({
      class: members[0]?.class ?? '',
      state: members[0]?.state ?? 'failed',
      total: members.length,
      reasons: reasonsOf(members),
    }))
    .sort((a, b) => b.total - a.total);
}

function reasonsOf(members: readonly Ended[]): FailureGroup['reasons'] {
  const reasons = [...grouped(members, (one) => one.message)].map(([message, same]) => ({
    message,
    names: same.slice(0, MOST_NAMES).map((one) => one.name),
    total: same.length,
  }));
  return reasons.sort((a, b) => b.total - a.total).slice(0, MOST_REASONS);
}

function grouped<T>(members: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of members) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
