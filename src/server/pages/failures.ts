import pLimit from 'p-limit';
import { messageOf } from '../../errors.ts';
import type { Connections } from '../../wiring/connections.ts';
import type { FailureGroup } from './batch.ts';
import { remember } from './remember.ts';

/** More records than these are not read for a page; they are counted. */
const MOST_READ = 500;
const READS_AT_ONCE = 16;
const MOST_NAMES = 12;
const MOST_REASONS = 20;

type Ended = { name: string; class: string; message: string; state: 'failed' | 'held' };

/** Why items failed or are held, from their records, the commonest first. */
export function failureReader({ state, records }: Connections) {
  const limit = pLimit(READS_AT_ONCE);
  const recall = remember(5_000, async (key): Promise<Ended | undefined> => {
    const [batch = '', id = ''] = key.split('/');
    const record = await records.read(batch, id).catch((error: unknown) => messageOf(error));
    if (typeof record === 'string') return { name: id, class: 'record-corrupt', message: record, state: 'failed' };
    if (record?.state !== 'failed' && record?.state !== 'held') return undefined;
    const { class: failureClass, message } = record.failure;
    return { name: record.name, class: failureClass, message, state: record.state };
  });

  return async (batch: string): Promise<{ failures: FailureGroup[]; unread: number }> => {
    const ids: string[] = [];
    let unread = 0;
    for await (const id of state.itemsIn(batch, ['failed', 'held'])) {
      if (ids.length < MOST_READ) ids.push(id);
      else unread += 1;
    }
    const found = await Promise.all(ids.map((id) => limit(() => recall(`${batch}/${id}`))));
    return { failures: groupsOf(found.filter((one) => one !== undefined)), unread };
  };
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
