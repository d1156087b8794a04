import type { RedisLimiter } from './limiter.ts';

/** Those requests that leave a part of the limit to others keep within the other part first, by a log of their own. */
export function sharedLimiter(all: RedisLimiter, others: RedisLimiter): RedisLimiter {
  const both = bothLimiters(others, all);
  return { ...all, take: (options) => (options.leaves ? both : all).take(options) };
}

/** A permit that two limits have to give, such as a model's and its account's. The narrower comes first. Its use is the second's. */
export function bothLimiters(first: RedisLimiter, second: RedisLimiter): RedisLimiter {
  return {
    usage: () => second.usage(),
    async outlook() {
      const [one, other] = await Promise.all([first.outlook(), second.outlook()]);
      return {
        waitMs: Math.max(one.waitMs, other.waitMs),
        isFull: one.isFull || other.isFull,
        waiting: Math.max(one.waiting, other.waiting),
      };
    },
    async take(options) {
      const inner = await first.take(options);
      const outer = await second.take({ ...options, leaves: 0 }).catch(async (error: unknown) => {
        await inner.release();
        throw error;
      });
      return {
        async ready() {
          await inner.ready();
          await outer.ready();
        },
        sent() {
          inner.sent();
          outer.sent();
        },
        async settle() {
          await Promise.all([inner.settle(), outer.settle()]);
        },
        // Which of the two was over its limit is not said. The account's pause is enough: the model's submits go through it as well.
        async refuse(retryAfterMs) {
          await Promise.all([inner.release(), outer.refuse(retryAfterMs)]);
        },
        async release() {
          await Promise.all([inner.release(), outer.release()]);
        },
      };
    },
  };
}
