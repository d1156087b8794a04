import { recordsOfBatch } from '../archive/read-records.ts';
import { chargesOf } from '../items/charges.ts';
import { type IdSet, idSet } from '../items/id-set.ts';
import { type Found, isReadable } from '../items/unreadable.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';

type CountPorts = Pick<Connections, 'spending' | 'prices' | 'log'>;

const CHUNK = 500;

/**
 * Makes sure that all that the archive knows to have been spent counts, also when Redis was emptied. Resolves with the items that it has
 * seen archived, which they stay: nobody needs to read their records again.
 */
export async function recountCharges(
  connections: CountPorts & Pick<Connections, 'records'>,
  batch: string,
): Promise<Pick<IdSet, 'has'>> {
  const { records, spending } = connections;
  const archived = idSet();
  if (await spending.isRecounted(batch)) return archived;
  for await (const some of chunksOf(recordsOfBatch(records, batch), CHUNK)) {
    for (const { id, state } of some) if (state === 'archived') archived.add(id);
    await countCharges(connections, batch, some);
  }
  await spending.noteRecounted(batch);
  return archived;
}

/** A record that cannot be read tells nothing. Figures are absolute: counting one twice changes nothing. */
export async function countCharges(
  { spending, prices, log }: CountPorts,
  batch: string,
  some: readonly Found[],
): Promise<void> {
  for (const found of some) {
    if (!isReadable(found)) log.warn({ batch, item: found.id, reason: found.message }, 'charges not counted');
  }
  await spending.record(
    batch,
    some.filter(isReadable).map((record) => chargesOf(record, prices)),
  );
}
