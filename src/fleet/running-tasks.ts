import type { Submitted } from '../items/item.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** Whose end nobody has seen for so long is forgotten: a job of it that still exists adds it again with its next poll. */
const FORGOTTEN_AFTER_MS = 3_600_000;

/** The tasks that run in an account whose limit is how many run at once, all and by model. */
export type RunningTasks = {
  /** Adding what is there is a no-op, so each poll may do it: what a flushed Redis has lost comes back. */
  add(task: Submitted): Promise<void>;
  remove(task: Submitted): Promise<void>;
  count(): Promise<number>;
};

/** Two sorted sets, members `<batch>/<item>` by the time at which they were last added: the limiter counts them. */
export function redisRunningTasks(redis: RedisClient, keys: Pick<Keys, 'runningTasks'>): RunningTasks {
  const setsOf = ({ request: { model } }: Submitted) => [keys.runningTasks(''), keys.runningTasks(model)];
  return {
    async add(task) {
      const now = Date.now();
      for (const key of setsOf(task)) {
        await redis.zadd(key, now, `${task.batch}/${task.id}`);
        await redis.zremrangebyscore(key, '-inf', now - FORGOTTEN_AFTER_MS);
      }
    },
    async remove(task) {
      for (const key of setsOf(task)) await redis.zrem(key, `${task.batch}/${task.id}`);
    },
    count: () => redis.zcard(keys.runningTasks('')),
  };
}
