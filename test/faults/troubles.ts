import { setTimeout as sleep } from 'node:timers/promises';
import type { startCrew } from './crew.ts';
import type { MortalRedis } from './mortal-redis.ts';
import type { TcpProxy } from './tcp-proxy.ts';

export type Outage = { atMs: number; forMs: number };
type Crew = ReturnType<typeof startCrew>;

/** What goes wrong around a batch, by the time since `startedAt`. Each story goes on until its signal says that it is over. */
export function troubles(startedAt: number, over: AbortSignal) {
  const at = (ms: number) => sleep(Math.max(0, startedAt + ms - Date.now()), undefined, { signal: over });
  const every = async (everyMs: number, strike: () => unknown) => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: over });
      await strike();
    }
  };

  return {
    every,
    /** kill -9 for one worker after another. */
    async kills(everyMs: number, crews: readonly Crew[], onKill: () => void) {
      let turn = 0;
      await every(everyMs, async () => {
        await crews[turn % crews.length]?.killOne(Math.floor(turn / crews.length));
        turn += 1;
        onKill();
      });
    },
    /** The terminal of one worker after another is closed, where it has begun to work. */
    async hangUps(everyMs: number, crews: readonly Crew[], onHangUp: () => void) {
      let turn = 0;
      await every(everyMs, () => {
        const wasAtWork = crews[turn % crews.length]?.hangUpOne(Math.floor(turn / crews.length) + 1);
        turn += 1;
        if (wasAtWork) onHangUp();
      });
    },
    async redisDies(atMs: number, redis: MortalRedis) {
      await at(atMs);
      await redis.dieAndComeBack();
    },
    async redisReadOnly({ atMs, forMs }: Outage, redis: MortalRedis, onStrike: () => void) {
      await at(atMs);
      await redis.readOnlyWhile(async () => {
        onStrike();
        await at(atMs + forMs);
      });
    },
    async s3Down({ atMs, forMs }: Outage, s3: TcpProxy) {
      await at(atMs);
      s3.set({ kind: 'down' });
      await at(atMs + forMs).finally(() => s3.set({ kind: 'fair' }));
    },
  };
}
