import pMap from 'p-map';
import { lostToAskFor } from '../items/images.ts';
import { resumedTask } from '../items/transitions.ts';
import { type AskedForLost, askForLost } from '../stages/lost-images.ts';
import { plain, plural, say, shorten } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { OpenedPorts } from '../wiring/stage-ports.ts';

/** An archived item of which some images could not be had, and what asking for these again has brought. */
export type LostOfItem = AskedForLost & { id: string; name: string };

const ITEMS_AT_ONCE = 4;

/** Asks once more for the images that archived items lack. What the signal comes before is left out. */
export async function rescueLost(
  { records }: Pick<Connections, 'records'>,
  ports: OpenedPorts,
  { batch, ids, signal }: { batch: string; ids: readonly string[]; signal: AbortSignal },
): Promise<LostOfItem[]> {
  const ask = async (id: string): Promise<LostOfItem[]> => {
    const record = signal.aborted ? undefined : await records.read(batch, id);
    const [task] = record ? resumedTask(record, ports.now()) : [];
    if (record?.state !== 'archived' || !task) return [];
    const { name } = record;
    const account = ports.accounts.ofTask(task);
    if ('lacksKey' in account)
      return [{ id, name, found: 0, left: lostToAskFor(record).length, why: `${account.lacksKey} is not set` }];
    const own = await account.portsFor(ports, record.request);
    return [{ id, name, ...(await askForLost(record, signal, own)) }];
  };
  return (await pMap(ids, ask, { concurrency: ITEMS_AT_ONCE })).flat();
}

export function tellLost(batch: string, items: readonly LostOfItem[]): void {
  if (items.length === 0) return;
  const found = items.reduce((sum, one) => sum + one.found, 0);
  const wanted = items.reduce((sum, one) => sum + one.found + one.left, 0);
  say(`${batch}: of ${plural(wanted, 'image')} that archived items lack, ${found} had after all`);
  for (const { id, name, left, why = '' } of items)
    if (left > 0) say(`  missing    ${plain(name)}  ${shorten(plain(why), 160)}  [${id}]`);
}
