import type { Archive } from '../../src/archive/archive.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { type ItemRecord, recordSchema } from '../../src/items/record.ts';
import type { Random } from '../../src/simulator/random.ts';

/** A record that was cut off behind everybody's back: as it was, and what is left of it. */
export type Cut = { key: string; record: ItemRecord; whole: Buffer; left: Buffer; version: string };

/**
 * A claim is left alone: where its record is destroyed before the answer comes, there is no place left that could name the task.
 * So is an item that was given back, since it is claimed next.
 */
const ANSWERABLE: readonly ItemRecord['state'][] = ['submitted', 'archived', 'failed', 'held'];
const TRIES = 20;

/** Cuts records of a batch off, as a full disk, a failing store or an editor does. `cuts`: by item. */
export function recordCutter(archive: Archive, batch: string, random: Random) {
  const cuts = new Map<string, Cut>();
  const write = (key: string, body: Buffer, was: string) =>
    archive.replace(key, body, { contentType: 'application/json', was });

  return {
    cuts,
    /** Over the record that was read only: an item that has just gone on is none of which we know what was lost. */
    async cutOne(): Promise<void> {
      const ids: string[] = [];
      for await (const id of recordsIn(archive).list(batch)) ids.push(id);
      for (let tries = 0; tries < TRIES; tries++) {
        const id = ids[Math.floor(random() * ids.length)];
        if (id === undefined || cuts.has(id)) continue;
        const key = layout.record(batch, id);
        const found = await archive.readVersioned(key);
        const record = found && recordSchema.parse(JSON.parse(found.body.toString()));
        if (!record || !ANSWERABLE.includes(record.state)) continue;
        // Without its last brace at least; perhaps nothing is left.
        const left = found.body.subarray(0, Math.floor(random() * (found.body.lastIndexOf('}') + 1)));
        const version = await write(key, left, found.version);
        if (version === undefined) continue;
        cuts.set(id, { key, record, whole: found.body, left, version });
        return;
      }
    },
    /** What a person does who has the records of before. Returns the items whose file was not what we had left of it. */
    async putBack(): Promise<string[]> {
      const touched: string[] = [];
      for (const [id, { key, whole, version }] of cuts) {
        if ((await write(key, whole, version)) === undefined) touched.push(id);
      }
      return touched;
    },
  };
}
