import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const execute = promisify(execFile);
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(PROJECT, 'node_modules/.bin/tsc');

const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()) });
const packedSchema = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);

export type Ran = { code: number; stdout: string; stderr: string };

/** The files of the package as it would be published. No scripts: they would build anew what other tests run just now. */
export async function pack(into?: string): Promise<{ file: string; paths: string[] }> {
  const where = into === undefined ? ['--dry-run'] : ['--pack-destination', into];
  const { stdout } = await execute('npm', ['pack', '--json', '--ignore-scripts', ...where], { cwd: PROJECT });
  const [{ filename, files }] = packedSchema.parse(JSON.parse(stdout));
  return { file: join(into ?? '', filename), paths: files.map(({ path }) => path) };
}

/** A project elsewhere with the packed package in it, its declared dependencies and no others linked from ours. */
export async function openConsumer() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'flux-batch-consumer-')));
  const { file } = await pack(folder);
  const installed = join(folder, 'node_modules', 'flux-batch');
  await execute('tar', ['-xzf', file, '-C', folder]);
  await mkdir(dirname(installed));
  await cp(join(folder, 'package'), installed, { recursive: true });
  const { dependencies } = packageSchema.parse(JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')));
  for (const name of Object.keys(dependencies)) await link(join(installed, 'node_modules'), name);
  await link(join(folder, 'node_modules'), '@types/node');
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));

  const run = async (program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> => {
    const options = { cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder, ...env } };
    return execute(program, args, options).then(
      (ended) => ({ code: 0, ...ended }),
      (error: unknown) => failedSchema.parse(error),
    );
  };
  return {
    folder,
    run,
    write: (name: string, text: string) => writeFile(join(folder, name), text),
    /** Checks, strictly and down into the types of dependencies, and emits JavaScript. */
    compile: (...files: string[]) => run(TSC, ['--pretty', 'false', ...COMPILER, ...files]),
    command: (...args: string[]) => run(process.execPath, [join(installed, 'dist/bin/flux-batch.js'), ...args]),
    installed,
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}

const COMPILER = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022'];
COMPILER.push('--module', 'nodenext', '--types', 'node');

const failedSchema = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

async function link(modules: string, name: string): Promise<void> {
  await mkdir(dirname(join(modules, name)), { recursive: true });
  await symlink(join(PROJECT, 'node_modules', name), join(modules, name));
}
