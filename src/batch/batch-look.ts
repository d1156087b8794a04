import type { Archive } from '../archive/archive.ts';
import { type BatchRecords, FEWEST_TO_COVER, openBatchRecords } from '../archive/batch-records.ts';
import type { Records } from '../archive/records.ts';
import { messageOf } from '../errors.ts';
import { type Charges, chargesOf } from '../items/charges.ts';
import { ACCOUNTS } from '../items/item.ts';
import { type Found, isReadable, type Unreadable } from '../items/unreadable.ts';
import type { Prices } from '../money/prices.ts';

/** What was seen of a batch's records. An archived item stays so; of another the record may have changed since. */
export type SeenItems = {
  /** It is archived. */
  has(id: string): boolean;
  /** The record of one that is not archived, where it is remembered. */
  find(id: string): Found | undefined;
};

export type SeenBatch = SeenItems & {
  /** Of all records that can be read, some at a time. */
  charges(): Generator<Charges[]>;
  unreadable: readonly Unreadable[];
};

/** One look at a batch's records, that all who want to know them share for a while. */
export type BatchLook = {
  /** The ids that have a record, in byte order. */
  list(): AsyncGenerator<string>;
  seen(): Promise<SeenBatch>;
  /** Whoever asks after this looks anew. */
  close(): Promise<void>;
};

type LookPorts = {
  archive: Archive;
  records: Records;
  prices: Prices;
  log: { debug(facts: object, text: string): void };
};

/** What is submitted or polled is read anew, so a look may be as old as it takes to have a person's answer. */
const FRESH_MS = 120_000;
/** Of items that are not archived. About 60 MB. */
const MOST_REMEMBERED = 50_000;
const CHUNK = 500;

export function batchLook(ports: LookPorts, batch: string): BatchLook {
  const debug = (reason: string) => ports.log.debug({ batch, reason }, 'segment not used');
  let opened: { at: number; held: Promise<BatchRecords>; seen?: Promise<SeenBatch> } | undefined;

  async function now() {
    if (opened && performance.now() - opened.at < FRESH_MS) return opened;
    await close();
    const held = openBatchRecords(ports, batch, { onDamaged: debug, fewestToCover: FEWEST_TO_COVER });
    opened = { at: performance.now(), held };
    return opened;
  }
  async function close(): Promise<void> {
    const former = opened;
    opened = undefined;
    await (await former?.held.catch(() => undefined))?.close();
  }
  async function look(held: BatchRecords): Promise<SeenBatch> {
    const seen = await passOver(held, ports.prices);
    await held.cover().catch((error: unknown) => debug(`not written: ${messageOf(error)}`));
    return seen;
  }

  return {
    async *list() {
      yield* (await (await now()).held).ids();
    },
    async seen() {
      const current = await now();
      current.seen ??= current.held.then(look);
      return current.seen;
    },
    close,
  };
}

/** Takes down what is wanted of each record. Holds neither the records nor their texts. */
async function passOver(held: BatchRecords, prices: Prices): Promise<SeenBatch> {
  const archived = new Uint8Array(held.size);
  const [known, unsettled] = [new Float64Array(held.size), new Float64Array(held.size)];
  const counted = new Uint8Array(held.size);
  /** By its place in ACCOUNTS. */
  const accounts = new Uint8Array(held.size);
  const others = new Map<string, Found>();
  const unreadable: Unreadable[] = [];
  for await (const found of held.all()) {
    const place = held.place(found.id);
    if (place === undefined) continue;
    if (found.state === 'archived') archived[place] = 1;
    else if (others.size < MOST_REMEMBERED) others.set(found.id, found);
    if (!isReadable(found)) {
      unreadable.push(found);
      continue;
    }
    const charges = chargesOf(found, prices);
    [counted[place], known[place], unsettled[place]] = [1, charges.known, charges.unsettled];
    accounts[place] = ACCOUNTS.indexOf(charges.account ?? ACCOUNTS[0]);
  }
  function* charges(): Generator<Charges[]> {
    let some: Charges[] = [];
    for (const id of held.ids()) {
      const place = held.place(id);
      if (place === undefined || counted[place] === 0) continue;
      const account = ACCOUNTS[accounts[place] ?? 0];
      const whose = account === undefined || account === ACCOUNTS[0] ? {} : { account };
      some.push({ id, known: known[place] ?? 0, unsettled: unsettled[place] ?? 0, ...whose });
      if (some.length < CHUNK) continue;
      yield some;
      some = [];
    }
    if (some.length > 0) yield some;
  }
  return {
    has: (id) => archived[held.place(id) ?? -1] === 1,
    find: (id) => others.get(id),
    charges,
    unreadable,
  };
}

/** The same connections, for whom a batch is listed once however often its ids are asked for. */
export function withOneLook<Ports extends LookPorts>(ports: Ports, batch: string): Ports & { look: BatchLook } {
  const look = batchLook(ports, batch);
  const list: Records['list'] = (wanted, signal) =>
    wanted === batch ? look.list() : ports.records.list(wanted, signal);
  return { ...ports, look, records: { ...ports.records, list } };
}
