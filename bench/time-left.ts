import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layout } from '../src/archive/layout.ts';
import { doneOf } from '../src/batch/counts.ts';
import { loadConfig } from '../src/config.ts';
import type { Snapshot } from '../src/diagnosis/snapshot.ts';
import { recordSchema } from '../src/items/record.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../src/simulator/simulator.ts';
import { openSnapshots } from '../src/status/snapshot.ts';
import { connect } from '../src/wiring/connections.ts';
import { openLimiters } from '../src/wiring/lanes.ts';
import { startRedis } from '../test/services/redis.ts';
import type { Bench, Row } from './bench.ts';
import { CLI, watched } from './children.ts';
import { judged, type Looked, type Reading, rowsOf, type Sample, type Sent } from './time-left-judged.ts';
import { keepLooks } from './time-left-looks.ts';

const BATCH = 'shape';
const EVERY_MS = 250;
/** As old as `run` takes what hundreds of jobs tell. */
const JOBS_EVERY_MS = 5_000;
const LIMITS = { FLUX_RATE_LIMIT: '40/1s', FLUX_POLL_LIMIT: '200/1s', FLUX_MAX_TASKS: '1000' };

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
/** Each is bound by something else; pressed into about two minutes, yet slow enough that the machine itself is not what binds. */
const SHAPES: readonly Shape[] = [
  { name: 'submit rate', items: 240, simulator: RATE, env: { FLUX_RATE_LIMIT: '10/5s' } },
  {
    name: 'poll rate',
    items: 480,
    simulator: { pollRate: { max: 10, windowMs: 2_000 } },
    env: { FLUX_POLL_LIMIT: '10/2s' },
  },
  {
    name: 'slow downloads',
    items: 240,
    simulator: { faults: [{ name: 'image-stall', share: 1 }], slowAnswerMs: 4_000 },
    env: {},
  },
  { name: 'tasks at the provider', items: 240, simulator: { maxTasks: 10 }, env: { FLUX_MAX_TASKS: '10' } },
  {
    name: 'a budget',
    items: 400,
    simulator: RATE,
    env: { FLUX_RATE_LIMIT: '10/5s' },
    args: ['--budget', '1920'],
    comes: 240,
  },
  { name: 'twice the rate that there is', items: 240, simulator: RATE, env: { FLUX_RATE_LIMIT: '20/5s' } },
];

/** What is said to be left against what came, and the rate that is shown against the provider's ledger. */
export const timeLeftBench: Bench = {
  name: 'time-left',
  async run({ quick }) {
    const rows: Row[] = [];
    const data: unknown[] = [];
    for (const [index, shape] of SHAPES.entries()) {
      // Another seed for each: else the same slow task would be the last of all.
      const looked = await measure(quick ? smaller(shape) : shape, index + 1);
      await keepLooks(looked);
      const measured = judged(looked);
      rows.push(...rowsOf(shape.name, measured));
      const { rateOff, ...told } = measured;
      data.push({ shape: shape.name, ...told, rateOff: { readings: rateOff.length, atMost: Math.max(...rateOff) } });
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

async function measure(shape: Shape, seed: number): Promise<Looked> {
  const redis = await startRedis();
  const simulator = await startSimulator({
    ...{ rate: { max: 200, windowMs: 1_000 }, pollRate: { max: 200, windowMs: 1_000 }, maxTasks: 1_000 },
    ...{ seed, medianMs: 5_000, pictures: 'plain', imageSize: 256, imageBytes: 20_000, ...shape.simulator },
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
    const sent = await sentOf(simulator, env.ARCHIVE_URL);
    const { refused } = arrivalsOf(simulator);
    return { shape: shape.name, comes: shape.comes ?? shape.items, samples, readings, windowMs, sent, refused };
  } finally {
    await simulator.close();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Looks = { look(names: readonly string[]): Promise<Snapshot>; usage(): Promise<{ inWindow: number }> };

/** What a look says, and the limiter just before it. */
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
      samples.push({ at: performance.now(), done, snapshot });
      if (done >= (shape.comes ?? shape.items)) break;
    }
    await sleep(EVERY_MS);
  }
  return { samples, readings };
}

/** When each accepted submit left us, as its record says, and when it arrived. */
async function sentOf(simulator: Simulator, archive: string): Promise<Sent[]> {
  const { arrivedAt } = arrivalsOf(simulator);
  const folder = join(archive, layout.records(BATCH));
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  const records = await Promise.all(
    names.map(async (name) => recordSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))),
  );
  return records.flatMap((record) => {
    const arrived = 'taskId' in record && record.taskId !== undefined ? arrivedAt.get(record.taskId) : undefined;
    const { submitted } = record.timings;
    if (arrived === undefined || submitted === undefined) return [];
    return [{ sentAt: Math.min(Date.parse(submitted), arrived), arrivedAt: arrived }];
  });
}

function arrivalsOf(simulator: Simulator): { arrivedAt: Map<string, number>; refused: number[] } {
  const { submitLog } = simulator.ledger();
  return {
    arrivedAt: new Map(submitLog.flatMap(({ taskId, at }) => (taskId === undefined ? [] : [[taskId, at]]))),
    refused: submitLog.flatMap(({ taskId, at }) => (taskId === undefined ? [at] : [])),
  };
}
