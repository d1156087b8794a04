import { setTimeout as sleep } from 'node:timers/promises';
import type { ItemRecord } from '../items/record.ts';
import { disownedRecord } from '../items/transitions.ts';
import type { ItemRef, Ports } from './ports.ts';

/** So long at most Redis is waited for to say whose a task is. */
const CLAIM_TASK_WITHIN_MS = 2_000;

/**
 * What is wrong with a task that another item was told of first, as where a gateway's cache gives it twice: both would get one image.
 * Undefined where it is this item's, or Redis does not say.
 */
export async function whyAnothers(
  item: ItemRef,
  taskId: string,
  ports: Pick<Ports, 'state'>,
): Promise<string | undefined> {
  const late = new AbortController();
  const owner = await Promise.race([
    ports.state.claimTask(item, taskId),
    sleep(CLAIM_TASK_WITHIN_MS, item.id, { signal: late.signal }),
  ]).catch(() => item.id);
  late.abort();
  return owner === item.id ? undefined : `The answer names the task ${taskId}, which is that of ${owner}`;
}

/**
 * What becomes of a record whose task is another's: as of a claim without an answer, for as long as it goes by that task, or is the claim
 * whose answer could not be recorded.
 */
export function whileOf<Next extends ItemRecord>(
  taskId: string,
  next: (unanswered: ItemRecord) => Next,
  claimed?: ItemRecord,
) {
  return (now: ItemRecord | undefined): Next | undefined => {
    if (now?.state === 'claimed' && now.attempts !== claimed?.attempts) return undefined;
    const unanswered = now && disownedRecord(now, taskId);
    return unanswered && next(unanswered);
  };
}
