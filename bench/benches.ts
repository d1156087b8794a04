import { archiveBench } from './archive.ts';
import { archiveMemoryBench } from './archive-memory.ts';
import { batchTimeBench } from './batch-time.ts';
import type { Bench } from './bench.ts';
import { enqueueBench } from './enqueue.ts';
import { fullBench } from './full.ts';
import { limiterBench } from './limiter.ts';
import { limiterDoubledBench } from './limiter-doubled.ts';
import { naiveBench } from './naive.ts';
import { orchestrationBench } from './orchestration.ts';
import { pollingBench } from './polling.ts';
import { redisMemoryBench } from './redis-memory.ts';
import { startBench } from './start.ts';
import { timeLeftBench } from './time-left.ts';

/** In the order of BENCHMARKS.md. */
export const BENCHES: readonly Bench[] = [
  limiterBench,
  limiterDoubledBench,
  batchTimeBench,
  orchestrationBench,
  fullBench,
  pollingBench,
  archiveBench,
  archiveMemoryBench,
  enqueueBench,
  redisMemoryBench,
  startBench,
  naiveBench,
  timeLeftBench,
];
