import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { messageOf } from '../errors.ts';
import { askRedis } from '../redis/presence.ts';
import type { Serving } from './serving.ts';

const TIMEOUT_MS = 2_000;
/** Several probes come every few seconds. They share one answer for this long: of the archive it costs a small write and its removal. */
const CACHED_MS = { redis: 2_000, archive: 10_000 };
/** A slow archive may take longer than one probe waits; the next shares its answer. */
const WITHIN_MS = 20_000;

/**
 * `GET /healthz`: this process answers. `GET /readyz`: Redis answers, and the archive takes what is written. Anybody may ask: the reason, which
 * may name hosts and buckets, is only for whom `tellsWhy` has.
 */
export function healthRoutes({ connections }: Serving, tellsWhy: (request: FastifyRequest) => Promise<boolean>) {
  const { redis, archive } = connections;
  const checks = {
    redis: cached(() => askRedis(redis), CACHED_MS.redis),
    archive: cached(async () => void (await archive.examine(AbortSignal.timeout(WITHIN_MS))), CACHED_MS.archive),
  };
  return async (server: FastifyInstance): Promise<void> => {
    server.get('/healthz', async () => ({ status: 'ok' }));
    server.get('/readyz', async (request, reply) => {
      const [redisState, archiveState] = await Promise.all([outcomeOf(checks.redis()), outcomeOf(checks.archive())]);
      const isReady = redisState === 'ok' && archiveState === 'ok';
      const whole = isReady || (await tellsWhy(request).catch(() => false));
      const told = (state: string) => (whole || state === 'ok' ? state : 'failed');
      return reply.code(isReady ? 200 : 503).send({ redis: told(redisState), archive: told(archiveState) });
    });
  };
}

/** Only a success is kept: after a failure the next probe asks again. */
function cached(check: () => Promise<void>, ttl: number): () => Promise<unknown> {
  const answers = new LRUCache<'answer', true>({ max: 1, ttl, fetchMethod: () => check().then(() => true) });
  return () => answers.fetch('answer');
}

async function outcomeOf(check: Promise<unknown>): Promise<string> {
  const timeout = sleep(TIMEOUT_MS, `no answer within ${TIMEOUT_MS} ms`, { ref: false });
  return Promise.race([check.then(() => 'ok').catch(messageOf), timeout]);
}
