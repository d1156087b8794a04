import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONDITION_MS } from '../services/limits.ts';
import { COMMAND, PROGRAM } from '../services/program.ts';

export type Exit = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };
export type Cli = {
  pid: number;
  stdout(): string;
  stderr(): string;
  isRunning(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Ends it by force, and fails, when it hangs. */
  exit(): Promise<Exit>;
};

/** Nobody reads it any more, as behind `| head`, or its disk is full. */
type Gone = 'closed pipe' | 'full disk';

export type CliOptions = {
  /** Where its stdout goes. */
  dataInto?: Gone;
  /** Where its stderr goes. */
  talkInto?: Gone;
  /** Another version's. */
  program?: string;
};

/** Starts the program with nothing in its environment but what is given. */
export function startCli(
  args: readonly string[],
  {
    dataInto,
    talkInto,
    program = PROGRAM,
    ...place
  }: { cwd: string; env: Record<string, string>; uid?: number; gid?: number } & CliOptions,
): Cli {
  const fullDisk = openSync('/dev/full', 'w');
  const [stdoutTo, stderrTo] = [dataInto, talkInto].map((gone) => (gone === 'full disk' ? fullDisk : 'pipe'));
  const child = spawn(process.execPath, [...COMMAND.slice(0, -1), program, ...args], {
    ...place,
    stdio: ['ignore', stdoutTo, stderrTo],
  });
  closeSync(fullDisk);
  if (dataInto === 'closed pipe') child.stdout?.destroy();
  if (talkInto === 'closed pipe') child.stderr?.destroy();
  const { pid } = child;
  if (pid === undefined) throw new Error('The program cannot be started');
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let running = true;
  const closed = once(child, 'close').then(([code, signal]): Exit => {
    running = false;
    return { code, signal, stdout, stderr };
  });
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    isRunning: () => running,
    kill: (signal) => {
      child.kill(signal);
    },
    async exit() {
      const late = sleep(CONDITION_MS, undefined, { ref: false });
      const exit = await Promise.race([closed, late]);
      if (exit) return exit;
      child.kill('SIGKILL');
      await closed;
      throw new Error(`flux-batch ${args.join(' ')} did not end within ${CONDITION_MS} ms\n${stdout}\n${stderr}`);
    },
  };
}

/** Waits for a condition, asking often; fails with its name, and what `seen` tells, when it does not come true. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  { seen = () => '' }: { seen?: () => string } = {},
): Promise<void> {
  const deadline = Date.now() + CONDITION_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`Waited ${CONDITION_MS} ms until ${what}\n${seen()}`);
    await sleep(10);
  }
}
