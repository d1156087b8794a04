import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { COMMAND } from '../services/program.ts';

export type Ended = { code: number | null; stdout: string; stderr: string };
export type Running = { child: ChildProcess; stdout(): string; stderr(): string; ended: Promise<Ended> };

/** The built command line in a process of its own; killed with the test if it still runs. */
export function start(env: Record<string, string>, ...args: string[]): Running {
  const child = spawn(process.execPath, [...COMMAND, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

export function run(env: Record<string, string>, ...args: string[]): Promise<Ended> {
  return start(env, ...args).ended;
}
