import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchCounts, doneOf } from '../src/batch/counts.ts';
import { loadConfig } from '../src/config.ts';
import { diagnose } from '../src/diagnosis/diagnose.ts';
import type { Snapshot } from '../src/diagnosis/snapshot.ts';
import { timeLeft } from '../src/diagnosis/time-left.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { openSnapshots } from '../src/status/snapshot.ts';
import { connect } from '../src/wiring/connections.ts';
import { openLimiters } from '../src/wiring/lanes.ts';
import { startRedis } from '../test/services/redis.ts';
import type { Bench, Row } from './bench.ts';
import { CLI, watched } from './children.ts';
import { median, percent } from './measure.ts';

const BATCH = 'shape';
const EVERY_MS = 250;
/** As old as `run` takes what hundreds of jobs tell. */
const JOBS_EVERY_MS = 5_000;
/** What is told is told in whole seconds, and looked at four times in one. */
const SLACK_MS = 1_000;
const WITHIN = 0.25;
/** A request and its answer, where other processes share the machine. */
const ON_ITS_WAY_MS = 100;
const LIMITS = { FLUX_RATE_LIMIT: '200/1s', FLUX_POLL_LIMIT: '200/1s', FLUX_MAX_TASKS: '1000' };

type Shape = {
  name: string;
  items: number;
  simulator: SimulatorOptions;
  env: Record<string, string>;
  args?: readonly string[];
  /** What comes to the archive where that is not all. */
  comes?: number;
};

const RATE: SimulatorOptions = { rate: { max: 10, windowMs: 5_000 } };
/** Each is bound by something else; pressed into about a minute, yet slow enough that the machine itself is not what binds. */
const SHAPES: readonly Shape[] = [
  { name: 'submit rate', items: 120, simulator: RATE, env: { FLUX_RATE_LIMIT: '10/5s' } },
  {
    name: 'poll rate',
    items: 120,
    simulator: { pollRate: { max: 10, windowMs: 2_000 } },
    env: { FLUX_POLL_LIMIT: '10/2s' },
  },
  {
    name: 'slow downloads',
    items: 120,
    simulator: { faults: [{ name: 'image-stall', share: 1 }], slowAnswerMs: 4_000 },
    env: {},
  },
  { name: 'tasks at the provider', items: 120, simulator: { maxTasks: 10 }, env: { FLUX_MAX_TASKS: '10' } },
  {
    name: 'a budget',
    items: 200,
    simulator: RATE,
    env: { FLUX_RATE_LIMIT: '10/5s' },
    args: ['--budget', '960'],
    comes: 120,
  },
  { name: 'twice the rate that there is', items: 120, simulator: RATE, env: { FLUX_RATE_LIMIT: '20/5s' } },
];

type Sample = { at: number; done: number; leftMs: number | undefined };
/** What was shown of the rate, and between which moments it was read. */
type Reading = { shown: number; from: number; to: number };

/** What is said to be left against what came, and the rate that is shown against the provider's ledger. */
export const timeLeftBench: Bench = {
  name: 'time-left',
  async run({ quick }) {
    const rows: Row[] = [];
    const data: unknown[] = [];
    for (const shape of SHAPES) {
      const measured = await measure(quick ? smaller(shape) : shape);
      rows.push(...rowsOf(shape, measured));
      data.push({ shape: shape.name, ...measured });
    }
    return { rows, data };
  },
};

function smaller(shape: Shape): Shape {
  return {
    ...shape,
    items: shape.items / 2,
    ...(shape.comes === undefined ? {} : { comes: shape.comes / 2, args: ['--budget', `${shape.comes * 4}`] }),
  };
}

async function measure(shape: Shape) {
  const redis = await startRedis();
  const simulator = await startSimulator({
    ...{ rate: { max: 200, windowMs: 1_000 }, pollRate: { max: 200, windowMs: 1_000 }, maxTasks: 1_000 },
    ...{ medianMs: 5_000, pictures: 'plain', imageSize: 256, imageBytes: 20_000, ...shape.simulator },
  });
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  const env = {
    ...LIMITS,
    ...shape.env,
    REDIS_URL: redis.url,
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ARCHIVE_URL: join(folder, 'archive'),
  };
  try {
    const jobs = Array.from({ length: shape.items }, (_, index) => ({
      id: `p${index}`,
      prompt: `Lighthouse ${index}`,
    }));
    await writeFile(join(folder, 'jobs.yaml'), JSON.stringify({ version: 1, batch: BATCH, jobs }));
    const child = watched(
      spawn(process.execPath, [CLI, 'run', 'jobs.yaml', '--yes', '--quiet', ...(shape.args ?? [])], {
        cwd: folder,
        stdio: 'ignore',
        env: { ...process.env, ...env },
      }),
    );
    const ended = once(child, 'exit');
    let runs = true;
    void ended.then(() => {
      runs = false;
    });
    const connections = await connect(loadConfig(env), { patient: false, prove: false });
    const look = openSnapshots(connections, { jobsEveryMs: JOBS_EVERY_MS });
    const { usage } = openLimiters(connections).submitLimiter;
    const { samples, readings } = await sampled({ look, usage }, shape, () => runs);
    await ended;
    const { windowMs } = connections.config.rateLimit;
    await connections.closers.closeAll();
    const acceptedAt = simulator.ledger().taskLog.map(({ at }) => at);
    return { ...judged(samples, shape), rateOff: readings.map((reading) => offBy(reading, acceptedAt, windowMs)) };
  } finally {
    await simulator.close();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Looks = { look(names: readonly string[]): Promise<Snapshot>; usage(): Promise<{ inWindow: number }> };

async function sampled({ look, usage }: Looks, shape: Shape, runs: () => boolean) {
  const samples: Sample[] = [];
  const readings: Reading[] = [];
  while (runs()) {
    const from = Date.now();
    const { inWindow } = await usage();
    readings.push({ shown: inWindow, from, to: Date.now() });
    const snapshot = await look([BATCH]);
    const [counts] = snapshot.batches;
    if (counts !== undefined && counts.total > 0) {
      const done = doneOf(counts);
      samples.push({ at: performance.now(), done, leftMs: leftOf(counts, snapshot) });
      if (done >= (shape.comes ?? shape.items)) break;
    }
    await sleep(EVERY_MS);
  }
  return { samples, readings };
}

/** By how much a reading is beyond all that the provider counted while it was read, and while what it counts was on its way. */
function offBy({ shown, from, to }: Reading, acceptedAt: readonly number[], windowMs: number): number {
  const [first, last] = [from - ON_ITS_WAY_MS, to + ON_ITS_WAY_MS];
  const moments = [first, last, ...acceptedAt.flatMap((at) => [at, at + windowMs])].filter(
    (moment) => moment >= first && moment <= last,
  );
  const counts = moments.map((now) => acceptedAt.filter((at) => at > now - windowMs && at <= now).length);
  return Math.max(0, Math.min(...counts) - shown, shown - Math.max(...counts));
}

function leftOf(counts: BatchCounts, snapshot: Snapshot): number | undefined {
  const left = timeLeft(counts, snapshot, diagnose(snapshot).findings);
  return left.kind === 'known' ? left.ms : undefined;
}

function judged(samples: readonly Sample[], { items, comes = items }: Shape) {
  const endedAt = samples.find(({ done }) => done >= comes)?.at ?? Number.NaN;
  const judgedOnes = samples.filter(({ at, done }) => done >= comes / 10 && at < endedAt);
  const errors = judgedOnes.map(({ at, leftMs }) => ({ trueMs: endedAt - at, leftMs }));
  const isWithin = (slackMs: number) => (one: (typeof errors)[number]) =>
    one.leftMs !== undefined && Math.abs(one.leftMs - one.trueMs) <= WITHIN * one.trueMs + slackMs;
  return {
    tookMs: Math.round(endedAt - (samples[0]?.at ?? 0)),
    samples: errors.length,
    within: errors.filter(isWithin(0)).length / errors.length,
    withinOrSecond: errors.filter(isWithin(SLACK_MS)).length / errors.length,
    medianError: median(errors.map(({ leftMs = 0, trueMs }) => Math.abs(leftMs - trueMs) / trueMs)),
    course: errors
      .filter((_, index) => index % 8 === 0)
      .map(({ leftMs, trueMs }) => [Math.round(trueMs), Math.round(leftMs ?? -1)]),
  };
}

function rowsOf(
  { name }: Shape,
  { within, withinOrSecond, medianError, samples, rateOff, tookMs }: Awaited<ReturnType<typeof measure>>,
): Row[] {
  return [
    {
      what: `time left from the first tenth on, bound by ${name}`,
      target: 'within 25 % or 1 s',
      measured: `${percent(withinOrSecond, 0)} of ${samples} looks in ${Math.round(tookMs / 1_000)} s (without the second ${percent(within, 0)}); median off by ${percent(medianError, 0)}`,
      met: withinOrSecond >= 0.95,
    },
    {
      what: `rate of submits shown against the provider's ledger, ${name}`,
      target: 'within one',
      measured: `${percent(rateOff.filter((by) => by <= 1).length / rateOff.length, 0)} of ${rateOff.length}; at most ${Math.max(...rateOff)} off`,
      met: rateOff.every((by) => by <= 1),
    },
  ];
}
