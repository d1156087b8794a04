import type { Records } from '../archive/records.ts';
import { chargesOf, type RecordCharges } from '../items/charges.ts';
import type { Prices } from './prices.ts';

/** Records whose charges are recorded as they are written. The archive comes first, since it is the truth. */
export function chargingRecords(records: Records, prices: Prices, recordCharges: RecordCharges): Records {
  return {
    ...records,
    async write(record, signal) {
      await records.write(record, signal);
      await recordCharges(record.batch, [chargesOf(record, prices)]);
    },
    async create(record, signal) {
      const created = await records.create(record, signal);
      if (created) await recordCharges(record.batch, [chargesOf(record, prices)]);
      return created;
    },
  };
}
