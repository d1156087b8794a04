import type { Item } from '../items/item.ts';
import type { Ports, Run, Slot } from './ports.ts';

/** A slot that is ended exactly once, whatever happens. */
export type OwnSlot = Slot & { end(): Promise<void> };

export async function takeSlot(item: Item, run: Run, ports: Ports): Promise<OwnSlot | undefined> {
  try {
    const slot = await ports.submitLimiter.take({ leadMs: ports.claimLead.ms(), signal: run.signal });
    return endedOnce(slot);
  } catch (error) {
    await ports.state.move(item, 'queued');
    if (run.signal.aborted) return undefined;
    throw error;
  }
}

function endedOnce(slot: Slot): OwnSlot {
  let open = true;
  let wentOut = false;
  const once = async (end: () => Promise<void>) => {
    if (!open) return;
    open = false;
    await end();
  };
  return {
    ready: () => slot.ready(),
    sent() {
      wentOut = true;
      slot.sent();
    },
    settle: () => once(() => slot.settle()),
    refuse: (retryAfterMs) => once(() => slot.refuse(retryAfterMs)),
    release: () => once(() => slot.release()),
    end: () => once(() => (wentOut ? slot.settle() : slot.release())),
  };
}
