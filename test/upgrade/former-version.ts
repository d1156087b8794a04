import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = 'dist/bin/flux-batch.js';
/** What its package is made of. */
const SOURCES = ['bin', 'src', 'workers', 'index.ts', 'package.json', 'package-lock.json', 'prices.json'];
SOURCES.push('tsconfig.json', 'tsconfig.build.json');

export type Former = { program: string } | { missing: string };

/**
 * The command line of a commit, with the dependencies that its lock file has: built once and kept below `.cache`. Says what
 * is missing where the commit is not in this clone, as in a shallow one.
 */
export async function formerVersion(commit: string): Promise<Former> {
  const cache = join(PROJECT, '.cache');
  const kept = join(cache, `flux-batch-${commit}`);
  if (existsSync(join(kept, PROGRAM))) return { program: join(kept, PROGRAM) };
  const isThere = await inProject('git', 'cat-file', '-e', `${commit}^{commit}`).then(
    () => true,
    () => false,
  );
  if (!isThere) return { missing: `the history of this clone does not have the commit ${commit}` };

  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'building-'));
  try {
    await build(commit, folder);
    // Whole or not at all: a run that is ended in between leaves no half of it.
    await rename(folder, kept).catch((error: unknown) => {
      if (!existsSync(join(kept, PROGRAM))) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
  return { program: join(kept, PROGRAM) };
}

async function build(commit: string, folder: string): Promise<void> {
  const archive = join(folder, 'sources.tar');
  await inProject('git', 'archive', '--output', archive, commit, ...SOURCES);
  await execute('tar', ['-xf', archive, '-C', folder]);
  const quiet = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-fund', '--no-audit'];
  await execute('npm', ['ci', ...quiet], { cwd: folder });
  // Its types were checked when it was committed, by the compiler of then.
  const tsc = join(PROJECT, 'node_modules/.bin/tsc');
  await execute(tsc, ['-p', 'tsconfig.build.json', '--noCheck'], { cwd: folder });
  await cp(join(folder, 'src/results/gallery/page'), join(folder, 'dist/src/results/gallery/page'), {
    recursive: true,
  });
}

function inProject(program: string, ...args: string[]): Promise<unknown> {
  return execute(program, args, { cwd: PROJECT });
}
