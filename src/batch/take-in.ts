import type { Submitted } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { resumedTask } from '../items/transitions.ts';
import { type Found, isReadable } from '../items/unreadable.ts';

export type TakeInPorts = {
  now: () => number;
  intake: {
    admit(batch: string, entries: readonly { id: string; was: undefined; to: ItemState }[]): Promise<unknown>;
  };
  queues: { pollAll(items: readonly Submitted[]): Promise<void> };
  settings: { pollGiveUpMs: number };
};

/** Makes Redis know items as their records have them, with the tasks that run. Who waits for a manifest is left to it. */
export async function takeIn(batch: string, some: readonly Found[], ports: TakeInPorts): Promise<void> {
  const { intake, queues, settings, now } = ports;
  const entries = some.flatMap((found) => {
    const to = stateOf(found);
    return to === undefined ? [] : [{ id: found.id, was: undefined, to }];
  });
  await intake.admit(batch, entries);
  const giveUpAt = now() + settings.pollGiveUpMs;
  await queues.pollAll(some.filter(isSubmitted).flatMap((record) => resumedTask(record, giveUpAt)));
}

/** One that cannot be read waits for a person, as a failed one does. */
export function stateOf(found: Found): ItemState | undefined {
  if (!isReadable(found)) return 'failed';
  return found.state === 'queued' || found.state === 'claimed' ? undefined : found.state;
}

function isSubmitted(found: Found): found is Extract<ItemRecord, { state: 'submitted' }> {
  return found.state === 'submitted';
}
