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
import { type Simulator, startSimulator } from '../src/simulator/simulator.ts';
import { openSnapshots } from '../src/status/snapshot.ts';
import { connect } from '../src/wiring/connections.ts';
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

/** Each is bound by something else; all are settings of weeks-long batches, pressed into a minute. */
const SHAPES: readonly Shape[] = [
  {
    name: 'submit rate',
    items: 400,
    simulator: { rate: { max: 20, windowMs: 2_000 } },
    env: { FLUX_RATE_LIMIT: '20/2s' },
  },
  {
    name: 'poll rate',
    items: 200,
    simulator: { pollRate: { max: 10, windowMs: 1_000 } },
    env: { FLUX_POLL_LIMIT: '10/1s' },
  },
  {
    name: 'slow downloads',
    items: 200,
    simulator: { faults: [{ name: 'image-stall', share: 1 }], slowAnswerMs: 1_500 },
    env: {},
  },
  { name: 'tasks at the provider', items: 200, simulator: { maxTasks: 10 }, env: { FLUX_MAX_TASKS: '10' } },
  {
    name: 'a budget',
    items: 400,
    simulator: { rate: { max: 20, windowMs: 2_000 } },
    env: { FLUX_RATE_LIMIT: '20/2s' },
    args: ['--budget', '2400'],
    comes: 300,
  },
  {
    name: 'twice the rate that there is',
    items: 400,
    simulator: { rate: { max: 20, windowMs: 2_000 } },
    env: { FLUX_RATE_LIMIT: '40/2s' },
  },
];

type Sample = { at: number; done: number; leftMs: number | undefined; shown: number; seen: readonly [number, number] };

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
    ...{ medianMs: 2_000, pictures: 'plain', imageSize: 256, imageBytes: 20_000, ...shape.simulator },
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
    const connections = await connect(loadConfig(env), { patient: false, prove: false, looksOnly: false });
    const samples = await sampled(
      openSnapshots(connections, { jobsEveryMs: JOBS_EVERY_MS }),
      simulator,
      shape,
      () => runs,
    );
    await ended;
    await connections.closers.closeAll();
    return judged(samples, shape);
  } finally {
    await simulator.close();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function sampled(
  look: (names: readonly string[]) => Promise<Snapshot>,
  simulator: Simulator,
  shape: Shape,
  runs: () => boolean,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const windowMs = Number(/\/(\d+)s/.exec(shape.env.FLUX_RATE_LIMIT ?? '/1s')?.[1]) * 1_000;
  const accepted = () => {
    const now = Date.now();
    return simulator.ledger().taskLog.filter(({ at }) => at > now - windowMs).length;
  };
  while (runs()) {
    const before = accepted();
    const snapshot = await look([BATCH]);
    const after = accepted();
    const [counts] = snapshot.batches;
    if (counts !== undefined && counts.total > 0) {
      const done = doneOf(counts);
      samples.push({
        at: performance.now(),
        done,
        leftMs: leftOf(counts, snapshot),
        shown: snapshot.rates.submit.inWindow,
        seen: [Math.min(before, after), Math.max(before, after)],
      });
      if (done >= (shape.comes ?? shape.items)) break;
    }
    await sleep(EVERY_MS);
  }
  return samples;
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
  const off = samples.map(({ shown, seen: [least, most] }) => Math.max(0, least - shown, shown - most));
  return {
    tookMs: Math.round(endedAt - (samples[0]?.at ?? 0)),
    samples: errors.length,
    within: errors.filter(isWithin(0)).length / errors.length,
    withinOrSecond: errors.filter(isWithin(SLACK_MS)).length / errors.length,
    medianError: median(errors.map(({ leftMs = 0, trueMs }) => Math.abs(leftMs - trueMs) / trueMs)),
    rateOff: {
      median: median(off),
      most: Math.max(...off),
      withinOne: off.filter((by) => by <= 1).length / off.length,
    },
    course: errors
      .filter((_, index) => index % 8 === 0)
      .map(({ leftMs, trueMs }) => [Math.round(trueMs), Math.round(leftMs ?? -1)]),
  };
}

function rowsOf(
  { name }: Shape,
  { within, withinOrSecond, medianError, samples, rateOff, tookMs }: ReturnType<typeof judged>,
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
      measured: `${percent(rateOff.withinOne, 0)}; at most ${rateOff.most} off`,
      met: rateOff.withinOne === 1,
    },
  ];
}
