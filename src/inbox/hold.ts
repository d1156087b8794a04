import type { Lease } from '../fleet/lease.ts';

/** Somebody else deals with it just now, or has gone on with it: it is looked at again later. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

/** A killed process is taken over after so long. */
const LEASE_MS = 12_000;
const RENEWED_EVERY_MS = 3_000;

export type Hold = {
  /** Throws `NotOurs` when another process has it. */
  take(name: string): Promise<void>;
  /** Throws `NotOurs` when one of them is another process's by now. */
  isStillOurs(): Promise<void>;
  release(): Promise<void>;
};

/** Leases that are held together, and renewed until they are released. */
export function openHold(leaseOf: (name: string) => Lease): Hold {
  const held = new Map<string, Lease>();
  const renew = async () => {
    for (const [name, lease] of held) if (!(await lease.take(LEASE_MS))) throw new NotOurs(name);
  };
  // That one is lost is found before the next step that counts.
  const timer = setInterval(() => void renew().catch(() => {}), RENEWED_EVERY_MS);
  timer.unref();
  return {
    async take(name) {
      const lease = leaseOf(name);
      if (!(await lease.take(LEASE_MS))) throw new NotOurs(name);
      held.set(name, lease);
    },
    isStillOurs: renew,
    async release() {
      clearInterval(timer);
      const leases = [...held.values()];
      held.clear();
      await Promise.all(leases.map((lease) => lease.release()));
    },
  };
}
