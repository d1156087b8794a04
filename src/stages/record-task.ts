import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Item, Submitted } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { recordWithTask } from '../items/transitions.ts';
import type { Ports, StageSettings } from './ports.ts';

/** Recording a task id is tried so often before Redis has to keep it for the next stage. */
const RECORD_RETRY_DELAYS_MS = [100, 500, 2_000];

/** Resolves with the record, which names the task; it may have gone on. */
export async function recordTask(
  taskId: string,
  { item, claimed, submittedAt }: { item: Item; claimed: ItemRecord; submittedAt: number },
  ports: Ports,
): Promise<ItemRecord | undefined | 'not-recorded'> {
  const submitted = submittedOf(item, taskId, submittedAt, true, ports);
  for (const delayMs of [...RECORD_RETRY_DELAYS_MS, undefined]) {
    try {
      const change = (now: ItemRecord | undefined) => recordWithTask(submitted, now);
      return (await ports.records.update(item.batch, item.id, change, claimed)).record;
    } catch (error) {
      ports.log.error(
        { batch: item.batch, item: item.id, taskId, reason: messageOf(error) },
        'task id not recorded yet',
      );
      if (delayMs !== undefined) await sleep(delayMs);
    }
  }
  return 'not-recorded';
}

export function submittedOf(
  item: Item,
  taskId: string,
  submittedAt: number,
  recorded: boolean,
  ports: { now: () => number; settings: Pick<StageSettings, 'pollGiveUpMs'> },
): Submitted {
  // A task found long after its submit gets a full time of asking from now on: its answer lives for 14 days.
  const giveUpAt = Math.max(submittedAt, ports.now() - ports.settings.pollGiveUpMs / 2) + ports.settings.pollGiveUpMs;
  return { ...item, taskId, submittedAt, giveUpAt, recorded };
}
