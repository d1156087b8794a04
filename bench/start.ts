import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { CLI, startSimulator, watched } from './children.ts';
import { median, timed } from './measure.ts';

const MANIFEST = `version: 1
batch: start
jobs:
  - id: picture
    prompt: A lighthouse at dawn
    variants: 5
`;

/** What a person waits for before anything happens. */
export const startBench: Bench = {
  name: 'start',
  async run({ quick }) {
    const rounds = quick ? 5 : 15;
    const [bare, help, first, whole]: number[][] = [[], [], [], []];
    const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
    try {
      await writeFile(join(folder, 'jobs.yaml'), MANIFEST);
      for (let round = 0; round < rounds; round++) {
        bare?.push((await timed(() => node(['-e', '0'], folder))).ms);
        help?.push((await timed(() => node([CLI, '--help'], folder))).ms);
      }
      for (let round = 0; round < Math.ceil(rounds / 3); round++) {
        const { firstSubmitMs, wholeMs } = await startOfRun(folder);
        first?.push(firstSubmitMs);
        whole?.push(wholeMs);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const more = median(help ?? []) - median(bare ?? []);
    const firstMs = median(first ?? []);
    const rows = [
      {
        what: 'start of flux-batch --help, over node -e 0',
        target: '≤ 150 ms more',
        measured: `${Math.round(more)} ms more than ${Math.round(median(bare ?? []))} ms`,
        met: more <= 150,
      },
      {
        what: 'run to its first submit, private Redis started',
        target: '≤ 1.5 s',
        measured: `${(firstMs / 1_000).toFixed(2)} s; 5 items of 10 ms tasks in ${(median(whole ?? []) / 1_000).toFixed(1)} s, exit included`,
        met: firstMs <= 1_500,
      },
    ];
    return { rows, data: { bare, help, first, whole } };
  },
};

async function startOfRun(folder: string): Promise<{ firstSubmitMs: number; wholeMs: number }> {
  const simulator = await startSimulator(['--time-scale', '0.001', '--pictures', 'plain', '--image-size', '64']);
  const startedAt = Date.now();
  await node([CLI, 'run', 'jobs.yaml'], folder, {
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ARCHIVE_URL: join(folder, 'archive'),
    REDIS_URL: '',
  });
  const wholeMs = Date.now() - startedAt;
  const { submitLog } = await simulator.ledger();
  await simulator.stop();
  for (const name of ['archive', '.flux-batch']) await rm(join(folder, name), { recursive: true, force: true });
  return { firstSubmitMs: (submitLog[0]?.at ?? Number.NaN) - startedAt, wholeMs };
}

async function node(args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = watched(spawn(process.execPath, args, { cwd, stdio: 'ignore', env: { ...process.env, ...env } }));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
}
