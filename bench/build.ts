import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Batch from './batch.ts';
import type { Bench } from './bench.ts';
import type * as Children from './children.ts';

/** A build of this program with its benchmarks, as of some commit. */
export type Build = {
  commit: string;
  /** The path of a file of its `dist/`. */
  file(path: string): string;
  startMember: typeof Children.startMember;
  enqueueBatch: typeof Batch.enqueueBatch;
  itemsOf: typeof Batch.itemsOf;
  /** Where it keeps how long tasks of this model took. */
  durationsKey(model: string): Promise<string>;
  benches(): Promise<readonly Bench[]>;
};

/** The build in a checkout: `dist/` with `dist/bench/`, which `npm run bench -- --against <folder>` makes where it lacks. */
export async function buildIn(folder: string): Promise<Build> {
  const file = (path: string) => join(resolve(folder), 'dist', path);
  const load = async (path: string): Promise<unknown> => import(pathToFileURL(file(path)).href);
  // Its modules are those of another commit; what is used of them here has been the same since the first benchmarks.
  const children = (await load('bench/children.js')) as typeof Children;
  const batch = (await load('bench/batch.js')) as typeof Batch;
  return {
    commit: spawnSync('git', ['-C', folder, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim(),
    file,
    startMember: children.startMember,
    enqueueBatch: batch.enqueueBatch,
    itemsOf: batch.itemsOf,
    async durationsKey(model) {
      const keys = (await load('src/redis/keys.js')) as typeof import('../src/redis/keys.ts');
      return keys.keysOf(keys.DEFAULT_PREFIX).durations(model);
    },
    benches: async () => ((await load('bench/benches.js')) as { BENCHES: readonly Bench[] }).BENCHES,
  };
}

export const thisBuild = await buildIn(join(import.meta.dirname, '../..'));
