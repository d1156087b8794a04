import { fingerprint } from '../text/fingerprint.ts';

export type IdSet = { add(id: string): boolean; has(id: string): boolean };

/**
 * A set of ids in 32 bytes each, where a million of them as text take more than 100 MB. It keeps two fingerprints of 53
 * bits: that two ids have both in common will not happen.
 */
export function idSet(): IdSet {
  let size = 0;
  let table = emptyTable(1_024);
  return {
    /** Returns false when the id is there already. */
    add(id) {
      if (2 * size >= table.firsts.length) table = grown(table);
      const isNew = insert(table, fingerprint(id, 0), fingerprint(id, 1));
      if (isNew) size++;
      return isNew;
    },
    has: (id) => placeOf(table, fingerprint(id, 0), fingerprint(id, 1)).isTaken,
  };
}

/** Open addressing; 0 is an empty place. */
type Table = { firsts: Float64Array; seconds: Float64Array };

function emptyTable(places: number): Table {
  return { firsts: new Float64Array(places), seconds: new Float64Array(places) };
}

function grown({ firsts, seconds }: Table): Table {
  const larger = emptyTable(2 * firsts.length);
  for (const [at, first] of firsts.entries()) if (first !== 0) insert(larger, first, seconds[at] ?? 0);
  return larger;
}

function insert(table: Table, first: number, second: number): boolean {
  const { at, isTaken } = placeOf(table, first, second);
  table.firsts[at] = first;
  table.seconds[at] = second;
  return !isTaken;
}

function placeOf({ firsts, seconds }: Table, first: number, second: number): { at: number; isTaken: boolean } {
  let at = first % firsts.length;
  while (firsts[at] !== 0 && (firsts[at] !== first || seconds[at] !== second)) at = (at + 1) % firsts.length;
  return { at, isTaken: firsts[at] !== 0 };
}
