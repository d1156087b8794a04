import type { Bench } from './bench.ts';
import { limiterBench } from './limiter.ts';
import { limiterDoubledBench } from './limiter-doubled.ts';
import { orchestrationBench } from './orchestration.ts';
import { startBench } from './start.ts';

/** In the order of BENCHMARKS.md. */
export const BENCHES: readonly Bench[] = [limiterBench, limiterDoubledBench, orchestrationBench, startBench];
