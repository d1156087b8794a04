import { itemOf, type Submitted } from '../items/item.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { heldRecord, isOthers, requeuedRecord } from '../items/transitions.ts';
import { shorten } from '../text/terminal.ts';
import { endItem } from './end-item.ts';
import type { Ports } from './ports.ts';
import { MOST_UNKNOWN } from './submit-outcome.ts';
import { whileOf } from './task-owner.ts';

const SHOWN_OF_PROMPT = 80;

/**
 * The provider was asked for a task with another prompt: the answer to the submit named a task that is not its own. What became of that
 * submit is unknown, as if it had not been answered. Returns the record where the item does not go by this task any more.
 */
export async function disownTask(task: Submitted, prompt: string, ports: Ports): Promise<ItemRecord | undefined> {
  const { batch, id, taskId } = task;
  const item = itemOf(task);
  const found = await ports.records.read(batch, id);
  const said = shorten(prompt, SHOWN_OF_PROMPT);
  const message = `The answer named the task ${taskId}, which was started for another prompt (${JSON.stringify(said)})`;
  const unknown = (found?.unknownAttempts ?? 0) + 1;
  if (ports.settings.onUnknown === 'resubmit' && unknown < MOST_UNKNOWN) {
    const { record } = await ports.records.update(batch, id, whileOf(taskId, requeuedRecord), found);
    // Also where a run before has written that, and ended.
    if (record?.state !== 'queued' || !isOthers(record, taskId)) return record;
    ports.log.warn({ batch, item: id, stage: 'poll', taskId, reason: message }, 'submitted again');
    await ports.state.move(item, 'queued');
    await ports.forward.submit(item);
    return undefined;
  }
  const failure: Failure = {
    class: 'unknown-outcome',
    message: `It is unknown whether the submit started a task (and was charged): ${message}`,
  };
  const hold = whileOf(taskId, (now) => heldRecord(item, now, failure));
  const goneOn = await endItem(item, found, hold, 'poll', ports);
  if (goneOn?.state === 'held' && isOthers(goneOn, taskId)) await ports.state.move(item, 'held');
  return goneOn;
}
