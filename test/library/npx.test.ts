import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { until } from '../acceptance/cli.ts';
import { pack } from './consumer.ts';

type Said = { code: number | null; output: string };

/** An empty folder in which somebody types; what still runs at the end is ended. */
async function openFolder({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'flux-batch-npx-')));
  const running = new Set<ChildProcess>();
  onTestFinished(async () => {
    for (const child of running) end(child, 'SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    // HOME is the user's: there npm has its cache, so that what is installed need not come from far.
    const { PATH, HOME } = process.env;
    const options = { cwd: folder, env: { PATH, HOME, ...env }, detached: true };
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const ended = once(child, 'close').then(([code]): Said => {
      running.delete(child);
      return { code, output };
    });
    return { output: () => output, ended, stop: () => end(child, 'SIGINT') };
  }
  return {
    folder,
    start,
    /** Runs it to its end, which must be a good one. */
    async run(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
      const { code, output } = await start(program, args, env).ended;
      expect(code, output).toBe(0);
      return output;
    },
  };
}

/** npx starts a process of its own: a signal goes to both, as Ctrl-C's does. */
function end({ pid, exitCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, signal);
}

test('from the packed package to a gallery: an empty folder, npm install, npx flux-batch simulate, init, plan and run', async (context) => {
  const { folder, start, run } = await openFolder(context);
  const { file } = await pack(folder);
  await run('npm', ['install', file, '--prefer-offline', '--no-fund', '--no-audit']);
  const npx = (...args: string[]) => ['--no-install', 'flux-batch', ...args];

  const simulator = start('npx', npx('simulate', '--port', '0', '--time-scale', '0.01'));
  const settingsOf = () =>
    [...simulator.output().matchAll(/export (\w+)=(\S+)/g)].map(([, name, value]) => [name, value]);
  await until('the simulator says where it is', () => settingsOf().length === 2, { seen: simulator.output });
  const env = Object.fromEntries(settingsOf());

  await run('npx', npx('init'), env);
  expect(await run('npx', npx('plan', 'jobs.yaml'), env)).toContain('my-first-batch');
  await run('npx', npx('run', 'jobs.yaml', '--yes'), env);
  simulator.stop();
  await simulator.ended;

  const batch = join(folder, 'archive', 'my-first-batch');
  const images = await readdir(join(batch, 'images'));
  expect(images.length).toBeGreaterThan(0);
  const gallery = await readFile(join(batch, 'index.html'), 'utf8');
  for (const image of images) expect(gallery).toContain(image);
});
