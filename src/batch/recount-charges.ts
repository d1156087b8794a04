import { chargesOf } from '../items/charges.ts';
import { type Found, isReadable, type Unreadable } from '../items/unreadable.ts';
import type { Connections } from '../wiring/connections.ts';
import { type BatchLook, batchLook, type SeenItems } from './batch-look.ts';

type CountPorts = Pick<Connections, 'spending' | 'prices' | 'log'>;

/**
 * Makes sure that all that the archive knows to have been spent counts, also when Redis was emptied. Resolves with what it has
 * seen of the items: nobody needs to read the records of the archived ones again.
 */
export async function recountCharges(
  connections: CountPorts & Pick<Connections, 'archive' | 'records'> & { look?: BatchLook },
  batch: string,
): Promise<SeenItems | undefined> {
  const { spending, log } = connections;
  if (await spending.isRecounted(batch)) return undefined;
  const look = connections.look ?? batchLook(connections, batch);
  try {
    const seen = await look.seen();
    for (const found of seen.unreadable) tellUncounted(found, log);
    for (const some of seen.charges()) await spending.record(batch, some);
    await spending.noteRecounted(batch);
    return seen;
  } finally {
    if (connections.look === undefined) await look.close();
  }
}

/** A record that cannot be read tells nothing. Figures are absolute: counting one twice changes nothing. */
export async function countCharges(
  { spending, prices, log }: CountPorts,
  batch: string,
  some: readonly Found[],
): Promise<void> {
  for (const found of some) {
    if (!isReadable(found)) tellUncounted(found, log);
  }
  await spending.record(
    batch,
    some.filter(isReadable).map((record) => chargesOf(record, prices)),
  );
}

function tellUncounted({ batch, id, message }: Unreadable, log: CountPorts['log']): void {
  log.warn({ batch, item: id, reason: message }, 'charges not counted');
}
