import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';
import { ownPriority, priorityOf } from './priority.ts';

const CHUNK = 500;

/**
 * Gives what waits of a batch its place among that of all batches: first what is not fed, then the jobs that there are. May be repeated;
 * when it was cut off, saying it again completes it.
 */
export async function changePriority(
  { state, queues }: Pick<Connections, 'state' | 'queues'>,
  batch: string,
  priority: number,
): Promise<void> {
  await state.feeds.setPriority(batch, priority);
  for await (const ids of chunksOf(state.itemsIn(batch, ['queued']), CHUNK)) {
    await queues.changePriority(
      ids.map((id) => ({ batch, id })),
      (former) => priorityOf(priority, ownPriority(former)),
    );
  }
}
