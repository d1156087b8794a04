import { SUBMIT_WAYS, type WaitingByWay } from '../items/submit-way.ts';
import type { Connections } from '../wiring/connections.ts';

export type WaitingPorts = Pick<Connections, 'state' | 'queues'>;

/**
 * How many items of a batch wait in each submit queue. Asks Redis for each of them, in pages. `beyond`: items over budget, which are not
 * counted where they can go one way only.
 */
export async function waitingByWay(
  batch: string,
  { state, queues }: WaitingPorts,
  beyond: ReadonlySet<string> = new Set(),
): Promise<WaitingByWay> {
  const sums: WaitingByWay = { kie: 0, bfl: 0, either: 0 };
  for await (const page of state.livePages(batch)) {
    const waiting = page.filter(([, state]) => state === 'queued' || state === 'submitting');
    const items = waiting.map(([id]) => ({ batch, id }));
    const within = items.filter(({ id }) => !beyond.has(id));
    const counts = await Promise.all(
      SUBMIT_WAYS.map((way) => queues.countSubmits(way, way === 'either' ? items : within)),
    );
    for (const [index, way] of SUBMIT_WAYS.entries()) sums[way] += counts[index] ?? 0;
  }
  return sums;
}
