import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { CircuitBreaker } from '../stages/ports.ts';
import type { TrippedBreaker } from './probe-breaker.ts';
import { defineScript } from './script.ts';

const NOT_SENT_WITHIN_MS = 10_000;

/** What stops submitting for the whole fleet at once. Every submit asks for it in `confirm`. */
export function redisBreaker(redis: RedisClient, keys: Keys) {
  const trip = defineScript(redis, 'breaker-trip');
  const allowProbe = defineScript(redis, 'breaker-allow-probe');
  const noteNotSent = defineScript(redis, 'breaker-note-not-sent');
  const noteUnknown = defineScript(redis, 'breaker-note-unknown');

  const circuitBreaker: CircuitBreaker = {
    async tripBreaker({ refusal, message, probeAfterMs, longestWaitMs, byProbe }) {
      const tripped = await trip(
        [keys.breaker],
        [refusal, message, probeAfterMs ?? '', byProbe ? 1 : 0, longestWaitMs ?? ''],
      );
      return tripped === 1;
    },
    async resetBreaker() {
      await redis.del(keys.breaker, keys.unknowns, keys.sends, keys.notSent);
    },
    async allowProbe() {
      await allowProbe([keys.breaker], []);
    },
    async noteUnknown() {
      const answer = await noteUnknown([keys.unknowns, keys.sends], [randomUUID()]);
      const [unknown, submits] = z.tuple([z.number(), z.number()]).parse(answer);
      return { unknown, submits };
    },
    async noteNotSent() {
      return z.number().parse(await noteNotSent([keys.notSent], [randomUUID(), NOT_SENT_WITHIN_MS]));
    },
  };

  return {
    ...circuitBreaker,
    /** Undefined while it is not tripped. */
    async breaker(): Promise<TrippedBreaker | undefined> {
      const { refusal, message, since, probeAt } = await redis.hgetall(keys.breaker);
      if (refusal === undefined) return undefined;
      const probed = probeAt === undefined ? {} : { probeAt: Number(probeAt) };
      return { refusal, message: message ?? '', since: Number(since), ...probed };
    },
    /** True for one caller in so many milliseconds. */
    async isMyProbe(everyMs: number): Promise<boolean> {
      return (await redis.set(keys.breakerProbe, '1', 'PX', everyMs, 'NX')) === 'OK';
    },
  };
}
