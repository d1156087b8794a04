import { createHash } from 'node:crypto';

/** A number in [0, 1). */
export type Random = () => number;

/**
 * A reproducible sequence of random numbers (mulberry32). Each purpose has its own stream: one more latency drawn must
 * not change the task durations of a seed.
 */
export function createRandom(seed: number, stream: string): Random {
  let state = createHash('sha256').update(`${seed}/${stream}`).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Generation times have a long tail: most are near the median, a few are several times longer. */
export function logNormal(random: Random, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}
