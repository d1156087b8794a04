import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { PROGRAM } from '../services/program.ts';
import type { LaneOf, startLanes } from '../workers/lanes-crew.ts';

/** A worker of these accounts that is a process, and can be killed. */
export function work(crew: Awaited<ReturnType<typeof startLanes>>, lanes: readonly LaneOf[]) {
  const keys = Object.fromEntries(lanes.map(({ name, key }) => [key, `key-of-${name}`]));
  const child = spawn(process.execPath, [PROGRAM, 'worker'], {
    cwd: crew.folder,
    env: { PATH: process.env.PATH ?? '', HOME: crew.folder, ...crew.env, ...keys, FLUX_LANES: crew.file },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
