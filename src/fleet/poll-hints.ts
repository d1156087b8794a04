import { z } from 'zod';
import type { PollHints } from '../queue/poll-now.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from './script.ts';

/** Longer than a poll waits to be run, also while polls are paused. */
const MARK_MS = 10 * 60_000;
/** One callback, or many: an item is not polled at once more often than this, which would use up the poll limit. */
const AT_ONCE_EVERY_MS = 5_000;

/** What lua/poll-ask.lua answers besides the place of a job. */
const UNMARKED = ['again', 'other-task', 'absent'] as const;

/**
 * The marks that callbacks leave for polls. Looked for and left by one script: each trip to Redis more is waited for by a task that
 * has ended.
 */
export function redisPollHints(redis: RedisClient, keys: Keys): PollHints {
  const ask = defineScript(redis, 'poll-ask');
  return {
    async ask(jobId, taskId, jobKeys) {
      const marks = [keys.pollNow(jobId), keys.polledAtOnce(jobId)];
      const answer = z.number().parse(await ask([...marks, ...jobKeys], [taskId, MARK_MS, AT_ONCE_EVERY_MS]));
      return answer > 0 ? answer - 1 : (UNMARKED[-answer] ?? 'absent');
    },
    async mark(jobId, taskId) {
      await redis.set(keys.pollNow(jobId), taskId, 'PX', MARK_MS);
    },
    async take(jobId, taskId) {
      return (await redis.getdel(keys.pollNow(jobId))) === taskId;
    },
    async isMarked(jobId, taskId) {
      return (await redis.get(keys.pollNow(jobId))) === taskId;
    },
  };
}
