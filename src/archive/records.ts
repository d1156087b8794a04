import { setTimeout as sleep } from 'node:timers/promises';
import { FluxError } from '../errors.ts';
import { type ItemRecord, mayFollow, recordSchema } from '../items/record.ts';
import type { Unreadable } from '../items/unreadable.ts';
import type { Archive, Versioned } from './archive.ts';
import { whyUnreadable } from './flaws.ts';
import { FileDeniedError } from './folder-errors.ts';
import { itemOfRecordKey, layout } from './layout.ts';

/** The new record for the present one; undefined leaves it as it is. Called again when another process was faster. */
export type Change = (now: ItemRecord | undefined) => ItemRecord | undefined;
/** The record after an update, and whether this update wrote it. */
export type Changed = { written: boolean; record: ItemRecord | undefined };

/** A record, and the mark by which a listing tells that it is still the same. */
export type MarkedRecord = { record: ItemRecord; mark: string };

/** The items' records in an archive. All methods throw the archive's errors; `list` does so while it is iterated. */
export type Records = {
  /**
   * Undefined when there is no record. Throws a `CorruptRecordError` (`record-corrupt`) when the file is not a valid record of
   * this item.
   */
  read(batch: string, item: string, signal?: AbortSignal): Promise<ItemRecord | undefined>;
  /** As `read`, with the mark that a listing has of just this record. Not of one that only seems to be the same. */
  readMarked(batch: string, item: string, signal?: AbortSignal): Promise<MarkedRecord | undefined>;
  /** The mark of a record that was read or written here; undefined where only `readMarked` tells it. */
  markOf(record: ItemRecord): string | undefined;
  /** Overwrites what is there. Everything that runs beside other processes uses `create` and `update`. */
  write(record: ItemRecord, signal?: AbortSignal): Promise<void>;
  /**
   * Changes a record without overwriting anybody else's change: it is written only over the version that `change` was given.
   * Otherwise it is read again, and `change` is called again. What `mayFollow` forbids is not written. `known`, a record that
   * was read or written here before, saves the first read.
   */
  update(batch: string, item: string, change: Change, known?: ItemRecord): Promise<Changed>;
  /** Returns false when the item already has a record: another worker has claimed it. */
  create(record: ItemRecord, signal?: AbortSignal): Promise<boolean>;
  /**
   * Keeps a record beside one that cannot be read and is never written over: so that the task which it names is not lost. From then on
   * the error of `read` names that task and the file.
   */
  putAside(record: ItemRecord): Promise<void>;
  /** The ids of all items that have a record, in byte order of their keys. */
  list(batch: string, signal?: AbortSignal): AsyncIterable<string>;
};

/** Its code is `record-corrupt`. */
export class CorruptRecordError extends FluxError {
  override readonly name = 'CorruptRecordError';
  readonly found: Unreadable;

  constructor(archive: string, found: Unreadable, cause: unknown) {
    super('record-corrupt', found.message, {
      facts: { archive, key: found.key },
      hint: 'Was it edited by hand? Put it right. Do not delete it: that would submit its item again.',
      cause,
    });
    this.found = found;
  }
}
/** Far more than processes compete for one record. */
const MOST_TRIES = 30;
const LONGEST_WAIT_MS = 50;

export function recordsIn(archive: Archive): Records {
  /** The versions of records that were read or written here. */
  const versions = new WeakMap<ItemRecord, string>();

  /** The record, with what else `get` has read of it. */
  async function readBy<Read extends Versioned>(
    get: (key: string) => Promise<Read | undefined>,
    batch: string,
    item: string,
  ): Promise<(Read & { record: ItemRecord }) | undefined> {
    const key = layout.record(batch, item);
    const place = { batch, item, archive: archive.url, key };
    let found: Read | undefined;
    try {
      found = await get(key);
      if (!found) return undefined;
      const record = parseRecord(found.body, place);
      versions.set(record, found.version);
      return { ...found, record };
    } catch (thrown) {
      throw await withAside(archive, place, thrown);
    }
  }

  async function read(batch: string, item: string, signal?: AbortSignal): Promise<ItemRecord | undefined> {
    return (await readBy((key) => archive.readVersioned(key, signal), batch, item))?.record;
  }

  async function create(record: ItemRecord, signal?: AbortSignal): Promise<boolean> {
    const version = await archive.create(keyOf(record), encode(record), options(signal));
    if (version !== undefined) versions.set(record, version);
    return version !== undefined;
  }

  /** Returns false when the record has changed since `was`. */
  async function replace(was: ItemRecord, record: ItemRecord): Promise<boolean> {
    const version = versions.get(was);
    if (version === undefined) return false;
    const now = await archive.replace(keyOf(record), encode(record), { ...options(undefined), was: version });
    if (now !== undefined) versions.set(record, now);
    return now !== undefined;
  }

  return {
    read,
    async readMarked(batch, item, signal) {
      const found = await readBy((key) => archive.readMarked(key, signal), batch, item);
      return found && { record: found.record, mark: found.mark };
    },
    markOf(record) {
      const version = versions.get(record);
      return version === undefined ? undefined : archive.markOf(version);
    },
    write: (record, signal) => archive.write(keyOf(record), encode(record), options(signal)),
    create,
    putAside: (record) => archive.write(layout.aside(record.batch, record.id), encode(record), options(undefined)),
    async update(batch, item, change, known) {
      let was = known && versions.has(known) ? known : await read(batch, item);
      for (let tries = 1; tries <= MOST_TRIES; tries++) {
        const record = change(was);
        if (!record || (was && !mayFollow(was, record))) return { written: false, record: was };
        if (await (was ? replace(was, record) : create(record))) return { written: true, record };
        if (tries > 1) await sleep(Math.random() * LONGEST_WAIT_MS);
        was = await read(batch, item);
      }
      throw new FluxError('archive-unreachable', `Others changed the record ${layout.record(batch, item)} at each try`);
    },
    async *list(batch, signal) {
      for await (const key of archive.list(layout.records(batch), signal)) {
        if (key.endsWith('.json')) yield itemOfRecordKey(batch, key);
      }
    },
  };
}

const keyOf = (record: ItemRecord) => layout.record(record.batch, record.id);
const encode = (record: ItemRecord) => Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
const options = (signal: AbortSignal | undefined) => ({ contentType: 'application/json', ...(signal && { signal }) });

type Place = { batch: string; item: string; archive: string; key: string };

function parseRecord(body: Buffer, place: Place): ItemRecord {
  const text = body.toString('utf8');
  const because = (why: string) => `The record ${place.key} in ${place.archive} cannot be read: ${why}`;
  let record: ItemRecord;
  try {
    record = recordSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw corrupt(place, {
      message: because(whyUnreadable(thrown, text, 'a record')),
      taskId: taskIn(text),
      cause: thrown,
    });
  }
  if (record.id !== place.item || record.batch !== place.batch) {
    throw corrupt(place, { message: because(`it is the record of ${record.batch}/${record.id}`) });
  }
  return record;
}

/** What was thrown; where the record cannot be read, with what was put aside for it. */
async function withAside(archive: Archive, place: Place, thrown: unknown): Promise<unknown> {
  const why = whyCorrupt(thrown);
  if (!why) return thrown;
  const key = layout.aside(place.batch, place.item);
  // It is told as well as it can be; the record itself is what cannot be read.
  const aside = await archive.read(key).catch(() => undefined);
  if (!aside) return corrupt(place, why);
  const taskId = why.taskId ?? taskIn(aside.toString('utf8'));
  return corrupt(place, { ...why, taskId, message: `${why.message}. What was to be written over it is in ${key}` });
}

function whyCorrupt(thrown: unknown): Why | undefined {
  if (thrown instanceof FileDeniedError) return { message: thrown.message, cause: thrown };
  if (!(thrown instanceof CorruptRecordError)) return undefined;
  return { message: thrown.message, taskId: thrown.found.taskId, cause: thrown.cause };
}

/** What is broken may still name the task that was paid for. */
function taskIn(text: string): string | undefined {
  return /"taskId"\s*:\s*"([^"\\\s]{1,200})"/.exec(text)?.[1];
}

type Why = { message: string; taskId?: string | undefined; cause?: unknown };

function corrupt({ batch, item, archive, key }: Place, { message, taskId, cause }: Why): CorruptRecordError {
  const found = {
    state: 'unreadable' as const,
    batch,
    id: item,
    key,
    message,
    ...(taskId !== undefined && { taskId }),
  };
  return new CorruptRecordError(archive, found, cause);
}
