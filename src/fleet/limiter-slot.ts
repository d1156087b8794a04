import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Slot, TakeOptions } from '../stages/ports.ts';
import type { LimiterScripts } from './limiter-scripts.ts';

/** A token's slot; `readyAt` is the local time at which it may be used. */
type Reserved = { token: string; readyAt: number; isClear: boolean };

/**
 * What goes out before this process has had any answer may be counted at the provider up to so long after it was sent: connections are
 * opened, on both sides code runs for the first time. A margin that covered it would cost each window as much.
 */
const COLD_MS = 1_000;

/** See `Limiter.take`. */
export function slotTaker(
  scripts: Pick<LimiterScripts, 'take' | 'ready' | 'settle' | 'refuse' | 'release'>,
): (options: TakeOptions) => Promise<Slot> {
  let isCold = true;
  return async ({ leadMs, goesOut = false, leaves = 0, signal }) => {
    let slot = await reserve(scripts, goesOut, leaves, signal);
    let sentAt: number | undefined;
    let latenessMs = 0;
    const release = () => scripts.release(slot.token, Math.ceil(slot.readyAt - performance.now()));
    /** How long ago the provider counted the request, at the least. */
    const sinceCountedMs = () => {
      isCold = false;
      return Math.max(0, Math.floor(performance.now() - (sentAt ?? performance.now()) - latenessMs));
    };
    const noteSent = () => {
      sentAt = performance.now();
      latenessMs = isCold ? COLD_MS : 0;
    };

    /** Waits for the slot's time but for `aheadMs`, and until nothing else stands in its way. */
    async function clearance(aheadMs: number, goes: boolean): Promise<void> {
      for (;;) {
        await sleepUntil(slot.readyAt - aheadMs, signal);
        const waitMs = await scripts.ready(slot.token, goes);
        if (waitMs === 0) return;
        if (waitMs > 0) {
          await sleep(waitMs * (1 + Math.random() * 0.2), undefined, { signal });
        } else {
          slot = await reserve(scripts, goes, leaves, signal);
          if (slot.isClear) return;
        }
      }
    }

    try {
      if (!slot.isClear) await clearance(leadMs, goesOut);
    } catch (error) {
      await release();
      throw error;
    }
    return {
      async ready() {
        if (!goesOut) await clearance(0, true);
        noteSent();
      },
      sent: noteSent,
      settle: () => scripts.settle(slot.token, sinceCountedMs()),
      refuse: (retryAfterMs) => scripts.refuse(slot.token, sinceCountedMs(), retryAfterMs),
      release,
    };
  };
}

/** Asks until a slot is promised. */
async function reserve(
  scripts: Pick<LimiterScripts, 'take'>,
  goesOut: boolean,
  leaves: number,
  signal: AbortSignal,
): Promise<Reserved> {
  const token = randomUUID();
  for (;;) {
    signal.throwIfAborted();
    const { waitMs, isClear } = await scripts.take(token, goesOut, leaves);
    if (waitMs >= 0) return { token, readyAt: performance.now() + waitMs, isClear };
    await sleep(-waitMs * (0.5 + Math.random()), undefined, { signal });
  }
}

/** Timers may fire a fraction of a millisecond early; a slot must not. */
async function sleepUntil(localTime: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = localTime - performance.now(); left > 0; left = localTime - performance.now()) {
    await sleep(Math.ceil(left), undefined, { signal });
  }
}
