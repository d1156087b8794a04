import { z } from 'zod';
import type { Clock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { FaultKind, Faults } from '../stages/ports.ts';

/** What is waited for. Times are epoch milliseconds: since when, and when it was met last. */
export type LastFault = { kind: FaultKind; message: string; since: number; last: number };

/** Whoever meets a fault tries again within this time. One that nobody has met for longer is no longer waited for. */
const FORGOTTEN_AFTER_MS: Readonly<Record<FaultKind, number>> = {
  'archive-unreachable': 60_000,
  'archive-denied': 90_000,
  'archive-full': 90_000,
  'poll-unanswered': 90_000,
  'images-unreachable': 6 * 60_000,
  'uploads-unanswered': 90_000,
};
/** Hundreds of items meet a fault together; one note a second tells it. */
const NOTE_EVERY_MS = 1_000;

const storedSchema = z.object({ message: z.string(), since: z.number(), last: z.number() });

/** The last fault of each kind that the fleet has met and that no success has cleared. Redis itself is not among them. */
export function redisFaults(redis: RedisClient, keys: Keys, clock: Clock) {
  const notedAt = new Map<FaultKind, number>();
  /** Kinds that may be in Redis as far as this process knows; at first any may, of a process that is no more. */
  const mayBeThere = new Set(Object.keys(FORGOTTEN_AFTER_MS).filter(isKind));

  async function write(kind: FaultKind, message: string, now: number): Promise<void> {
    const former = readFault(kind, await redis.hget(keys.faults, kind));
    // It was over before this got here.
    if (!mayBeThere.has(kind)) return;
    const since = former && now - former.last < FORGOTTEN_AFTER_MS[kind] ? former.since : now;
    await redis.hset(keys.faults, kind, JSON.stringify({ message, since, last: now }));
  }

  const port: Faults = {
    note(kind, message) {
      const now = clock.now();
      if (now - (notedAt.get(kind) ?? 0) < NOTE_EVERY_MS) return;
      notedAt.set(kind, now);
      mayBeThere.add(kind);
      void write(kind, message, now).catch(() => {});
    },
    clear(...kinds) {
      const some = kinds.filter((kind) => mayBeThere.delete(kind));
      if (some.length === 0) return;
      for (const kind of some) notedAt.delete(kind);
      void redis.hdel(keys.faults, ...some).catch(() => {});
    },
  };
  return {
    port,
    /** What is waited for just now, the longest first. */
    async current(): Promise<LastFault[]> {
      const now = clock.now();
      const hash = await redis.hgetall(keys.faults);
      return Object.entries(hash)
        .flatMap(([kind, text]) => (isKind(kind) ? (readFault(kind, text) ?? []) : []))
        .filter(({ kind, last }) => now - last < FORGOTTEN_AFTER_MS[kind])
        .sort((a, b) => a.since - b.since);
    },
  };
}
export type RedisFaults = ReturnType<typeof redisFaults>;

function readFault(kind: FaultKind, text: string | null): LastFault | undefined {
  if (text === null) return undefined;
  const parsed = storedSchema.safeParse(parseJson(text));
  return parsed.success ? { kind, ...parsed.data } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKind(kind: string): kind is FaultKind {
  return Object.hasOwn(FORGOTTEN_AFTER_MS, kind);
}
