import type { Records } from '../archive/records.ts';
import { chargesOf, type RecordCharges } from '../items/charges.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Prices } from './prices.ts';

/** Records whose charges are recorded as they are written. The archive comes first, since it is the truth. */
export function chargingRecords(records: Records, prices: Prices, recordCharges: RecordCharges): Records {
  /** Items whose record was written, and whose charges were not. Writing it again may find nothing to change. */
  const owed = new Set<string>();

  async function charge(record: ItemRecord): Promise<void> {
    const item = `${record.batch}/${record.id}`;
    owed.add(item);
    await recordCharges(record.batch, [chargesOf(record, prices)]);
    owed.delete(item);
  }

  return {
    ...records,
    async write(record, signal) {
      await records.write(record, signal);
      await charge(record);
    },
    async update(batch, item, change, known) {
      const changed = await records.update(batch, item, change, known);
      const { written, record } = changed;
      if (record && (written || owed.has(`${batch}/${item}`))) await charge(record);
      return changed;
    },
    async create(record, signal) {
      const created = await records.create(record, signal);
      if (created) await charge(record);
      return created;
    },
  };
}
