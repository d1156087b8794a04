import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import { messageOf } from '../errors.ts';
import type { Serving } from './serving.ts';

const TIMEOUT_MS = 2_000;
/** Several probes come every few seconds. They share one answer of the archive for this long. */
const CACHED_MS = 5_000;
/** This key never exists. The check is only whether the archive answers. */
const PROBE_KEY = 'flux-batch-probe/ready';

/** `GET /healthz`: this process answers. `GET /readyz`: Redis and the archive answer too. */
export function healthRoutes({ connections }: Serving) {
  const { redis, archive } = connections;
  const checks = {
    redis: cached(async () => void (await redis.ping())),
    archive: cached(async () => void (await archive.read(PROBE_KEY, AbortSignal.timeout(TIMEOUT_MS)))),
  };
  return async (server: FastifyInstance): Promise<void> => {
    server.get('/healthz', async () => ({ status: 'ok' }));
    server.get('/readyz', async (_request, reply) => {
      const [redisState, archiveState] = await Promise.all([outcomeOf(checks.redis()), outcomeOf(checks.archive())]);
      const isReady = redisState === 'ok' && archiveState === 'ok';
      return reply.code(isReady ? 200 : 503).send({ redis: redisState, archive: archiveState });
    });
  };
}

/** Only a success is kept: after a failure the next probe asks again. */
function cached(check: () => Promise<void>): () => Promise<unknown> {
  const answers = new LRUCache<'answer', true>({ max: 1, ttl: CACHED_MS, fetchMethod: () => check().then(() => true) });
  return () => answers.fetch('answer');
}

async function outcomeOf(check: Promise<unknown>): Promise<string> {
  const timeout = sleep(TIMEOUT_MS, `no answer within ${TIMEOUT_MS} ms`, { ref: false });
  return Promise.race([check.then(() => 'ok').catch(messageOf), timeout]);
}
