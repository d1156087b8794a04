import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArchive } from '../src/archive/open.ts';
import { recordsIn } from '../src/archive/records.ts';
import { startRedis } from '../test/services/redis.ts';
import { enqueueBatch, itemsOf } from './batch.ts';
import type { Bench } from './bench.ts';
import { startMember, startSimulator } from './children.ts';
import type { FleetInput, FleetResult } from './fleet-member.ts';
import { median, quantile, times } from './measure.ts';

const BATCH = 'bench';
const FIXED_MS = 2_000;
const AT_ONCE = 100;

/** Polls for each task and the delay of finding it, tasks log-normal around 12 s (sigma 0.35), 100 at once, nothing known before. */
export const pollingBench: Bench = {
  name: 'polling',
  waits: 'always',
  async run({ quick }) {
    const items = quick ? 200 : 1_000;
    const redis = await startRedis();
    const simulator = await startSimulator([
      ...['--rate', '100000/1s', '--poll-rate', '100000/1s', '--max-tasks', String(AT_ONCE)],
      ...[
        '--latency',
        '40ms',
        '--jitter',
        '20ms',
        '--pictures',
        'plain',
        '--image-size',
        '64',
        '--image-bytes',
        '5000',
      ],
    ]);
    const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
    const config = {
      REDIS_URL: redis.url,
      FLUX_API_URL: simulator.url,
      FLUX_API_KEY: simulator.apiKey,
      FLUX_RATE_LIMIT: '100000/1s',
      FLUX_POLL_LIMIT: '100000/1s',
      FLUX_MAX_TASKS: String(AT_ONCE),
      ARCHIVE_URL: folder,
    };
    const batch = await enqueueBatch(config, BATCH, itemsOf(BATCH, items));
    const input: FleetInput = { config, instant: false };
    const fleet = await startMember<FleetResult>('fleet-member', input);
    await batch.ended();
    await fleet.stop();
    await batch.close();
    const { taskLog } = await simulator.ledger();
    const delays = await delaysIn(folder);
    await simulator.stop();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });

    const durations = taskLog.map(({ at, endedAt }) => (endedAt ?? at) - at);
    const fixedPolls = mean(durations.map((duration) => Math.ceil(duration / FIXED_MS)));
    const fixedDelay = median(durations.map((duration) => Math.ceil(duration / FIXED_MS) * FIXED_MS - duration));
    const polls = mean(taskLog.map((task) => task.polls));
    const data = {
      tasks: items,
      ours: { polls, medianDelayMs: median(delays), p90DelayMs: quantile(delays, 0.9), meanDelayMs: mean(delays) },
      fixed: { polls: fixedPolls, medianDelayMs: fixedDelay },
      learnedFirst300: {
        polls: mean(taskLog.slice(300).map((task) => task.polls)),
        medianDelayMs: median(delays.slice(300)),
      },
    };
    const rows = [
      {
        what: 'polls a task, 100 at once around 12 s, against every 2 s',
        target: '≤ 0.5 ×, median ≤ 1 s',
        measured: `${times(polls / fixedPolls)} (${polls.toFixed(1)} of ${fixedPolls.toFixed(1)}), median delay ${(median(delays) / 1_000).toFixed(2)} s (fixed: ${(fixedDelay / 1_000).toFixed(2)} s)`,
        met: polls / fixedPolls <= 0.5 && median(delays) <= 1_000,
      },
    ];
    return { rows, data };
  },
};

/** In the order of submission. */
async function delaysIn(folder: string): Promise<number[]> {
  const archive = await openArchive({ url: folder });
  const records = recordsIn(archive);
  const seen: { submitted: number; delay: number }[] = [];
  for await (const id of records.list(BATCH)) {
    const record = await records.read(BATCH, id);
    const { submitted = '', completed = '', discovered = '' } = record?.timings ?? {};
    seen.push({ submitted: Date.parse(submitted), delay: Date.parse(discovered) - Date.parse(completed) });
  }
  return seen.sort((a, b) => a.submitted - b.submitted).map(({ delay }) => delay);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
