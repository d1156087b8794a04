import { embedOf, type Item, laneOf, listOf, type Submitted } from './item.ts';
import { boundBy, isBound, isElsewhere } from './provider-list.ts';
import { type ItemRecord, taskIdsOf, tasksOf } from './record.ts';
import { costsOf, pricesOf } from './record-costs.ts';

/** What all states of a record have. */
export type Common = Omit<Extract<ItemRecord, { state: 'queued' }>, 'state'>;

export const iso = (ms: number) => new Date(ms).toISOString();

export function commonOf(item: Item | Submitted, previous: ItemRecord | undefined): Common {
  return {
    version: 1,
    id: item.id,
    name: item.name,
    batch: item.batch,
    variant: item.variant,
    priority: item.priority,
    variables: item.variables,
    request: 'taskId' in item ? item.request : boundBy(item, previous).request,
    ...listOf(goesWithoutList(item, previous) ? previous : item),
    ...embedOf(item),
    ...noteOf(previous),
    ...laneOf('taskId' in item && !taskIdsOf(previous).includes(item.taskId) ? item : previous),
    attempts: previous?.attempts ?? 0,
    earlierTaskIds: previous?.earlierTaskIds ?? [],
    ...othersOf(previous),
    timings: previous?.timings ?? { queued: iso(item.queuedAt) },
    ...(previous?.unknownAttempts === undefined ? {} : { unknownAttempts: previous.unknownAttempts }),
    ...costsOf(previous, item),
    ...pricesOf(previous),
  };
}

/** A submit that is bound to its provider goes without the list, also where that claim is given back: its id goes by the first all the same. */
function goesWithoutList(item: Item, previous: ItemRecord | undefined): previous is ItemRecord {
  if (item.providers !== undefined || !previous) return false;
  return isBound(previous) || isElsewhere({ request: item.request, providers: previous.providers });
}

export function commonOfRecord(record: ItemRecord): Common {
  const { version, id, name, batch, variant, priority, variables, request, attempts, earlierTaskIds, timings } = record;
  const unknown = record.unknownAttempts === undefined ? {} : { unknownAttempts: record.unknownAttempts };
  return {
    version,
    id,
    name,
    batch,
    variant,
    priority,
    variables,
    request,
    ...listOf(record),
    ...embedOf(record),
    ...noteOf(record),
    ...laneOf(record),
    attempts,
    ...unknown,
    earlierTaskIds,
    ...othersOf(record),
    timings,
    ...costsOf(record),
    ...pricesOf(record),
  };
}

export function othersOf(record: ItemRecord | undefined): Pick<Common, 'othersTaskIds'> {
  return record?.othersTaskIds === undefined ? {} : { othersTaskIds: record.othersTaskIds };
}

export function noteOf(record: ItemRecord | undefined): Pick<Common, 'note'> {
  return record?.note === undefined ? {} : { note: record.note };
}

/** The record may name another task, as after a resubmit whose first task turned up. That one was paid for too. */
export function otherTasks(previous: ItemRecord | undefined, taskId: string | undefined): string[] {
  return previous ? [...tasksOf(previous)].filter((id) => id !== taskId) : [];
}
