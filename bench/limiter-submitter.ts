import { setMaxListeners } from 'node:events';
import { redisLimiter } from '../src/fleet/limiter.ts';
import { fluxKontext } from '../src/provider/kontext/flux-kontext.ts';
import { connectRedis } from '../src/redis/connection.ts';
import { keysOf } from '../src/redis/keys.ts';
import type { Rate } from '../src/text/duration.ts';
import { member } from './children.ts';

export type SubmitterInput = {
  redisUrl: string;
  prefix: string;
  apiUrl: string;
  apiKey: string;
  rate: Rate;
  waiters: number;
};

const REQUEST_TIMEOUT_MS = 30_000;

/** A process of so many waiters that submit as fast as the limiter lets them, until told to stop. */
await member<SubmitterInput>(async ({ redisUrl, prefix, apiUrl, apiKey, rate, waiters }) => {
  const redis = await connectRedis(redisUrl, { patient: true, name: 'bench' });
  const limiter = redisLimiter(redis, keysOf(prefix), { name: 'submit', rate, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const provider = fluxKontext({
    apiUrl,
    apiKey,
    userAgent: 'bench',
    connectTimeoutMs: 10_000,
    submitTimeoutMs: REQUEST_TIMEOUT_MS,
    pollTimeoutMs: REQUEST_TIMEOUT_MS,
    connections: 128,
  });
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const loops = Array.from({ length: waiters }, (_, index) => submitForever(index));

  async function submitForever(index: number) {
    for (let count = 0; !stopping.signal.aborted; count++) {
      const slot = await limiter.take({ leadMs: 0, signal: stopping.signal });
      await slot.ready();
      const prompt = `${process.pid}/${index}/${count}`;
      const outcome = await provider.submit(
        { prompt, model: 'flux-kontext-pro', outputFormat: 'png' },
        { onSent: () => slot.sent() },
      );
      if (outcome.kind === 'refused') await slot.refuse(outcome.retryAfterMs);
      else await slot.settle();
    }
  }

  return {
    async stop() {
      stopping.abort();
      await Promise.allSettled(loops);
      await provider.close();
      redis.disconnect();
    },
  };
});
