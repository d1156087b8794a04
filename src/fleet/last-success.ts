import { STAGES, type Stage } from '../queue/queues.ts';
import type { Clock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** Hundreds of items succeed together; one note a second tells it. */
const NOTE_EVERY_MS = 1_000;

export type LastSuccess = Record<Stage, number | null>;

/** When each stage of the fleet has last brought an item on, epoch milliseconds by the clock of Redis. */
export function redisLastSuccess(redis: RedisClient, keys: Keys, clock: Clock) {
  const notedAt = new Map<Stage, number>();
  return {
    /** Neither waits nor throws. */
    note(stage: Stage): void {
      const now = clock.now();
      if (now - (notedAt.get(stage) ?? 0) < NOTE_EVERY_MS) return;
      notedAt.set(stage, now);
      redis.hset(keys.lastSuccess, stage, now).catch(() => {});
    },
    async read(): Promise<LastSuccess> {
      const hash = await redis.hgetall(keys.lastSuccess);
      const at = (stage: Stage) => (hash[stage] === undefined ? null : Number(hash[stage]));
      const [submit, poll, archive, finish] = STAGES.map(at);
      return { submit: submit ?? null, poll: poll ?? null, archive: archive ?? null, finish: finish ?? null };
    },
  };
}
