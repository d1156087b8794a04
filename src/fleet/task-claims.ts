import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { TaskClaims } from '../stages/ports.ts';
import { defineScript } from './script.ts';

/** What answers two submits alike, as a gateway's cache, does so within minutes. */
const HALF_DAY_MS = 43_200_000;
/** After the last submit of its half day: a million tasks would take more than all else that Redis keeps of a batch. */
const KEPT_FOR_S = 86_400;

/** The keys that have a batch's tasks of the last half day and more, the present one first. */
export function taskKeys(keys: Keys, batch: string): string[] {
  const half = Math.floor(Date.now() / HALF_DAY_MS);
  return [keys.tasks(batch, `${half}`), keys.tasks(batch, `${half - 1}`), keys.tasksBefore(batch)];
}

/** Which item each task of a batch belongs to: the one that was told of it first. */
export function redisTaskClaims(redis: RedisClient, keys: Keys): TaskClaims {
  const claim = defineScript(redis, 'task-claim');
  return {
    async claimTask({ batch, id }, taskId) {
      return z.string().parse(await claim(taskKeys(keys, batch), [taskId, id, KEPT_FOR_S]));
    },
  };
}
