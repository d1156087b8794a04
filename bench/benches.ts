import { archiveBench } from './archive.ts';
import { archiveMemoryBench } from './archive-memory.ts';
import type { Bench } from './bench.ts';
import { fullBench } from './full.ts';
import { limiterBench } from './limiter.ts';
import { limiterDoubledBench } from './limiter-doubled.ts';
import { orchestrationBench } from './orchestration.ts';
import { pollingBench } from './polling.ts';
import { startBench } from './start.ts';

/** In the order of BENCHMARKS.md. */
export const BENCHES: readonly Bench[] = [
  limiterBench,
  limiterDoubledBench,
  orchestrationBench,
  fullBench,
  pollingBench,
  archiveBench,
  archiveMemoryBench,
  startBench,
];
