import { setTimeout as sleep } from 'node:timers/promises';
import { FluxError, messageOf } from '../errors.ts';
import { type ItemRecord, mayFollow, recordSchema } from '../items/record.ts';
import type { Archive } from './archive.ts';
import { itemOfRecordKey, layout } from './layout.ts';

/** What to make of a record as it is at the moment of writing; undefined: leave it. May be asked more than once. */
export type Change = (now: ItemRecord | undefined) => ItemRecord | undefined;
/** The record as it is after all, and whether it was we who wrote it. */
export type Changed = { written: boolean; record: ItemRecord | undefined };

/** The items' records in an archive. All but `list` may throw the archive's errors. */
export type Records = {
  /** Throws `record-corrupt` when what is there is no record of this item. */
  read(batch: string, item: string, signal?: AbortSignal): Promise<ItemRecord | undefined>;
  /** Looks at nothing that is there: who may not be the only one uses `update`. */
  write(record: ItemRecord, signal?: AbortSignal): Promise<void>;
  /**
   * Changes a record and undoes nobody else's change: it is written only over what `change` was shown, otherwise read and changed
   * again. What `mayFollow` forbids is left as it is. `known`, the record as it was read or written here before, saves reading it.
   */
  update(batch: string, item: string, change: Change, known?: ItemRecord): Promise<Changed>;
  /** False when the item has a record already: the claim of another. */
  create(record: ItemRecord, signal?: AbortSignal): Promise<boolean>;
  /** The ids of all items that have a record, in byte order of their keys. */
  list(batch: string, signal?: AbortSignal): AsyncIterable<string>;
};

/** Others write a record now and then. Who loses so often in a row is up against something else. */
const MOST_TRIES = 30;
const LONGEST_WAIT_MS = 50;

export function recordsIn(archive: Archive): Records {
  /** Of the records that were read or written here. */
  const versions = new WeakMap<ItemRecord, string>();

  async function read(batch: string, item: string, signal?: AbortSignal): Promise<ItemRecord | undefined> {
    const key = layout.record(batch, item);
    const found = await archive.readVersioned(key, signal);
    if (!found) return undefined;
    const record = parseRecord(found.body, { batch, item, archive: archive.url, key });
    versions.set(record, found.version);
    return record;
  }

  async function create(record: ItemRecord, signal?: AbortSignal): Promise<boolean> {
    const version = await archive.create(keyOf(record), encode(record), options(signal));
    if (version !== undefined) versions.set(record, version);
    return version !== undefined;
  }

  /** False when it is not as `was` any more. */
  async function replace(was: ItemRecord, record: ItemRecord): Promise<boolean> {
    const version = versions.get(was);
    if (version === undefined) return false;
    const now = await archive.replace(keyOf(record), encode(record), { ...options(undefined), was: version });
    if (now !== undefined) versions.set(record, now);
    return now !== undefined;
  }

  return {
    read,
    write: (record, signal) => archive.write(keyOf(record), encode(record), options(signal)),
    create,
    async update(batch, item, change, known) {
      let was = known && versions.has(known) ? known : await read(batch, item);
      for (let tries = 1; tries <= MOST_TRIES; tries++) {
        const record = change(was);
        if (!record || (was && !mayFollow(was, record))) return { written: false, record: was };
        if (await (was ? replace(was, record) : create(record))) return { written: true, record };
        if (tries > 1) await sleep(Math.random() * LONGEST_WAIT_MS);
        was = await read(batch, item);
      }
      throw new FluxError(
        'archive-unreachable',
        `The record ${layout.record(batch, item)} is changed by others all the time`,
      );
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
  let record: ItemRecord;
  try {
    record = recordSchema.parse(JSON.parse(body.toString('utf8')));
  } catch (thrown) {
    throw corrupt(place, messageOf(thrown), thrown);
  }
  if (record.id !== place.item || record.batch !== place.batch) {
    throw corrupt(place, `it is the record of ${record.batch}/${record.id}`);
  }
  return record;
}

function corrupt({ archive, key }: Place, why: string, cause?: unknown): FluxError {
  return new FluxError('record-corrupt', `The record ${key} in ${archive} cannot be read: ${why}`, {
    facts: { archive, key },
    hint: 'Was it edited by hand? Put it right. Do not delete it: that would submit its item again.',
    cause,
  });
}
