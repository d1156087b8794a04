import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { TaskClaims } from '../stages/ports.ts';

/** After the batch's last submit. What answers two submits alike, as a gateway's cache, does so within minutes. */
const KEPT_FOR_S = 86_400;

/** Which item each task of a batch belongs to: the one that was told of it first. */
export function redisTaskClaims(redis: RedisClient, keys: Keys): TaskClaims {
  return {
    async claimTask({ batch, id }, taskId) {
      const key = keys.tasks(batch);
      const isFirst = (await redis.hsetnx(key, taskId, id)) === 1;
      await redis.expire(key, KEPT_FOR_S);
      return isFirst ? id : ((await redis.hget(key, taskId)) ?? id);
    },
  };
}
