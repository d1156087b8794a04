import { readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'vitest';
import { z } from 'zod';
import { socketUrl } from '../../src/redis/url.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { Rate } from '../../src/text/duration.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { type Cli, type CliOptions, type Exit, startCli } from './cli.ts';

/** A folder of its own with a provider of its own: where one test's commands run. */
export type Place = {
  folder: string;
  /** What a command finds in its environment here. */
  env: Record<string, string>;
  simulator: Simulator;
  /** Writes a manifest with one job for each prompt and returns its name. */
  manifest(batch: string, prompts: readonly string[], defaults?: object): Promise<string>;
  write(name: string, text: string): Promise<string>;
  start(args: readonly string[], env?: Record<string, string>, options?: CliOptions): Cli;
  /** Runs it to its end. */
  run(args: readonly string[], env?: Record<string, string>, options?: CliOptions): Promise<Exit>;
  /** Of the private Redis that runs here; undefined when none does. */
  redis(): { url: string; pid: number } | undefined;
};

/** The pace of a batch, and far above it what the provider takes: it may see at once what was sent over a second. */
const PACE = { max: 40, windowMs: 500 };
const RATE = { max: 200, windowMs: 500 };

/** Quick tasks, small pictures, limits that only matter where a test sets its own. */
const QUICK: SimulatorOptions = {
  rate: RATE,
  pollRate: { max: 200, windowMs: 1_000 },
  maxTasks: 1_000,
  medianMs: 300,
  pictures: 'plain',
  imageSize: 64,
  imageBytes: 8_000,
};

/** All that was started here is ended with the test, however it ends. */
export async function openPlace(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options: { simulator?: SimulatorOptions; pace?: Rate; env?: Record<string, string> } = {},
): Promise<Place> {
  const settings = { ...QUICK, prices: TEST_PRICES, ...options.simulator };
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'flux-batch-acceptance-')));
  const started: Cli[] = [];
  const killAll = () => {
    for (const cli of started) if (cli.isRunning()) cli.kill('SIGKILL');
    const redis = redisOf(folder);
    if (redis && runsIn(folder, redis.pid)) process.kill(redis.pid, 'SIGKILL');
  };
  process.once('exit', killAll);
  const simulator = await startSimulator(settings);
  onTestFinished(async () => {
    killAll();
    await Promise.all(started.map((cli) => cli.exit()));
    // A command that was starting its Redis just then has written who that is by now.
    killAll();
    process.off('exit', killAll);
    await simulator.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const { max, windowMs } = options.pace ?? PACE;
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ...WITH_TEST_PRICES,
    FLUX_RATE_LIMIT: `${max}/${windowMs}ms`,
    FLUX_POLL_LIMIT: '150/1s',
    FLUX_MAX_TASKS: '1000',
    // An answer that is late because the machine is busy must not count as none. So long a claim without one is waited for.
    FLUX_SUBMIT_TIMEOUT: '20s',
    ...options.env,
  };
  const start: Place['start'] = (args, env = {}, cliOptions = {}) => {
    const cli = startCli(args, { cwd: folder, env: { ...environment, ...env }, ...cliOptions });
    started.push(cli);
    return cli;
  };
  const write: Place['write'] = async (name, text) => {
    await writeFile(join(folder, name), text);
    return name;
  };
  return {
    folder,
    env: environment,
    simulator,
    start,
    run: (args, env, cliOptions) => start(args, env, cliOptions).exit(),
    write,
    manifest: (batch, prompts, defaults = {}) =>
      write(`${batch}.yaml`, manifestText(batch, prompts, { outputFormat: 'jpeg', aspectRatio: '1:1', ...defaults })),
    redis: () => redisOf(folder),
  };
}

/** So many prompts, all different. */
export function promptsFor(count: number, subject = 'A lighthouse'): string[] {
  return Array.from({ length: count }, (_, index) => `${subject}, number ${index + 1}`);
}

/** JSON is YAML too. */
function manifestText(batch: string, prompts: readonly string[], defaults: object): string {
  const jobs = prompts.map((prompt, index) => ({ id: `item-${index + 1}`, prompt }));
  return JSON.stringify({ version: 1, batch, defaults, jobs }, null, 2);
}

/** Without a socket: of an older version. */
const stateSchema = z.object({ port: z.int(), pid: z.int(), password: z.string(), socket: z.string().optional() });

function redisOf(folder: string): { url: string; pid: number } | undefined {
  try {
    const text = readFileSync(join(folder, '.flux-batch/redis/redis.json'), 'utf8');
    const { port, pid, password, socket } = stateSchema.parse(JSON.parse(text));
    if (socket === undefined) return { url: `redis://:${password}@127.0.0.1:${port}`, pid };
    return { url: socketUrl(resolve(folder, '.flux-batch/redis', socket), password), pid };
  } catch {
    return undefined;
  }
}

/** Numbers of processes are given out again: only one that works in our folder is ours to end. */
export function runsIn(folder: string, pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
  } catch {
    return false;
  }
}
