import { Redis } from 'ioredis';

export type RedisStats = { commands: Record<string, { calls: number; micros: number }>; usedMemory: number };

/** A second pair of eyes on the server, for what the measured processes do not tell. */
export function watchRedis(url: string) {
  const redis = new Redis(url);
  return {
    redis,
    async reset() {
      await redis.flushall();
      await redis.config('RESETSTAT');
    },
    async usedMemory(): Promise<number> {
      const info = await redis.info('memory');
      return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
    },
    /** Since the server began. */
    async commands(): Promise<number> {
      return Number(/^total_commands_processed:(\d+)/m.exec(await redis.info('stats'))?.[1]);
    },
    /** Calls and microseconds for each item; what ran within a script is counted in the script's time and by itself. */
    async perItem(items: number): Promise<Record<string, { calls: number; micros: number }>> {
      const info = await redis.info('commandstats');
      const found = [...info.matchAll(/^cmdstat_(\S+):calls=(\d+),usec=(\d+)/gm)];
      return Object.fromEntries(
        found
          .map(([, name = '', calls, micros]) => ({
            name,
            calls: Number(calls) / items,
            micros: Number(micros) / items,
          }))
          .filter(({ micros }) => micros >= 0.5)
          .sort((a, b) => b.micros - a.micros)
          .map(({ name, calls, micros }) => [name, { calls: round(calls), micros: round(micros) }]),
      );
    },
    close: () => redis.disconnect(),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;
