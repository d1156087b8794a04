import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLI, watched } from './children.ts';
import { timed } from './measure.ts';

/** Runs `flux-batch run` on so many items in a folder, with a private Redis, and tells how long it took. */
export async function runBatch(folder: string, items: number, env: NodeJS.ProcessEnv): Promise<number> {
  const manifest = `version: 1
batch: bench
defaults: { model: flux-kontext-pro, outputFormat: png }
jobs:
  - id: picture-{{ number }}
    prompt: Lighthouse {{ number }} at dawn
    matrix: { number: [${Array.from({ length: items }, (_, index) => `"${index}"`).join(', ')}] }
`;
  await writeFile(join(folder, 'jobs.yaml'), manifest);
  const child = watched(
    spawn(process.execPath, [CLI, 'run', 'jobs.yaml', '--yes'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, REDIS_URL: '', ...env },
    }),
  );
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const { ms, result } = await timed(() => once(child, 'exit'));
  if (result[0] !== 0) throw new Error(`run ended with ${result[0]}:\n${said}`);
  return ms;
}
