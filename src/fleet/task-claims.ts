import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { TaskClaims } from '../stages/ports.ts';
import { defineScript } from './script.ts';

/** After the batch's last submit. What answers two submits alike, as a gateway's cache, does so within minutes. */
const KEPT_FOR_S = 86_400;

/** Which item each task of a batch belongs to: the one that was told of it first. */
export function redisTaskClaims(redis: RedisClient, keys: Keys): TaskClaims {
  const claim = defineScript(redis, 'task-claim');
  return {
    async claimTask({ batch, id }, taskId) {
      return z.string().parse(await claim([keys.tasks(batch)], [taskId, id, KEPT_FOR_S]));
    },
  };
}
