import type { Item } from '../items/item.ts';
import { type SubmitLane, submitInLanes, type Turns } from './choose-lane.ts';
import type { Run, StageOutcome } from './ports.ts';

type Later = Extract<StageOutcome, { kind: 'later' }>;

/** A provider that may make an item, which is asked for in its words. `lanes`: its own, or why this process has none. */
export type Way = {
  item: Item;
  provider: string;
  lanes: readonly SubmitLane[] | { why: string; wait(): Later };
  /** Why its lanes are closed, for people: the same text as long as the cause is the same. */
  closedFor(): Promise<string | undefined>;
};
/** An item goes to another provider than the one that it prefers. */
export type OnMoved = (moved: { item: Item; from: string; to: string; reason: string }) => void;

/**
 * Submits an item at the first of its providers that has an open lane. Only what no provider was sent goes on to the next: the submit
 * of each begins with the record, and one that may have gone out binds the item (pass-to-its-provider.ts).
 */
export async function submitWhereOpen(
  ways: readonly Way[],
  run: Run,
  turns: Turns,
  onMoved: OnMoved,
): Promise<StageOutcome> {
  let closed: (() => Later) | undefined;
  const left: Way[] = [];
  for (const way of ways) {
    const { lanes, item } = way;
    if ('why' in lanes) closed ??= lanes.wait;
    else {
      const outcome = await submitInLanes(item, run, lanes, turns);
      if (outcome.kind === 'done') await tellMoved(way, left, onMoved);
      if (outcome.kind === 'done' || outcome.restMs === undefined || run.signal.aborted) return outcome;
      closed = () => outcome;
    }
    left.push(way);
  }
  if (!closed) throw new Error('Expected a provider');
  return closed();
}

async function tellMoved({ item, provider }: Way, left: readonly Way[], onMoved: OnMoved): Promise<void> {
  const [preferred] = left;
  if (!preferred) return;
  const { lanes } = preferred;
  // The item is on its way. Where it is open again by now, or nobody can be asked, there is nothing to tell.
  const reason = 'why' in lanes ? lanes.why : await preferred.closedFor().catch(() => undefined);
  if (reason !== undefined) onMoved({ item, from: preferred.provider, to: provider, reason });
}
