import type { Slot } from './ports.ts';

/** A slot that is ended exactly once, whatever happens. */
export type OwnSlot = Slot & { end(): Promise<void> };

export function endedOnce(slot: Slot): OwnSlot {
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
