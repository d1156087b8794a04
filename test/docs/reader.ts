import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { resolveOptions } from '../../src/simulator/options.ts';
import { openPlace } from '../acceptance/place.ts';
import { CONDITION_MS } from '../services/limits.ts';
import { type Block, wholeManifest } from './markdown.ts';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** What a fresh clone has at its root, as far as the pages use it. */
const CLONE = ['jobs.example.yaml', 'jobs.models.yaml', 'examples', 'prices.json', '.env.example', 'deploy'];
/** Beyond what any block takes on a busy machine: one that hangs is told of by name, and not by the test's own limit. */

export type Options = {
  /** What the pages write where a reader puts something of their own, and what that is here. */
  yours?: Readonly<Record<string, string>>;
};

/** Somebody who does what a page says, block by block, in one folder and one shell. Throws for a block that does not work. */
export async function openReader(context: Pick<TestContext, 'onTestFinished'>, { yours = {} }: Options = {}) {
  // What a reader pays is what the shipped prices say.
  const {
    folder,
    env: given,
    simulator,
  } = await openPlace(context, { simulator: { prices: resolveOptions({}).prices }, env: { FLUX_PRICES: '' } });
  const bin = await mkdtemp(`${folder}-bin-`);
  const running: { child: ChildProcess; ended: Promise<number | null>; where: string }[] = [];
  // Registered after the place's own ending, so that it comes before that.
  context.onTestFinished(async () => {
    for (const { child } of running) endGroup(child, 'SIGKILL');
    await rm(bin, { recursive: true, force: true, maxRetries: 10 });
  });
  await symlink(join(PROJECT, 'dist/bin/flux-batch.js'), join(bin, 'flux-batch'));
  for (const name of CLONE) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  // As `npm install flux-batch` would put it there.
  await mkdir(join(folder, 'node_modules'));
  await symlink(PROJECT, join(folder, 'node_modules/flux-batch'));

  // Any port: others may run the same pages on this machine.
  let env: Record<string, string> = { ...given, PATH: `${bin}:${given.PATH}`, PORT: '0' };
  const replaced = { 'FLUX_API_KEY=…': `FLUX_API_KEY=${simulator.apiKey}`, ...yours };
  const fillIn = (text: string) =>
    Object.entries(replaced).reduce((filled, [written, own]) => filled.replaceAll(written, own), text);

  /** What a reader would type: nothing may be left that only a person can fill in. */
  function typed(where: string, text: string): string {
    const filled = fillIn(text);
    const left = filled.split('\n').find((line) => line.replace(/(^| )#.*/, '').includes('…'));
    if (left !== undefined) throw new Error(`${where}: nothing stands here for the "…" in "${left}"`);
    return filled;
  }

  function start(program: string, args: readonly string[]) {
    const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const ended = once(child, 'close').then(([code]): number | null => code);
    return { child, ended, said: () => said };
  }

  async function run(where: string, program: string, args: readonly string[], expected = 0): Promise<void> {
    const { child, ended, said } = start(program, args);
    const late = sleep(CONDITION_MS, 'late' as const, { ref: false });
    const code = await Promise.race([ended, late]);
    if (code === expected) return;
    if (code === 'late') endGroup(child, 'SIGKILL');
    throw new Error(
      `${where}: expected to exit with ${expected}, ${code === 'late' ? 'did not end' : `got ${code}`}\n${said()}`,
    );
  }

  async function runShell(where: string, { text, marker }: Block): Promise<void> {
    const environment = join(bin, 'env');
    const script = `${typed(where, text)}\nenv -0 > '${environment}'\n`;
    await run(where, 'bash', ['-euo', 'pipefail', '-c', script], marker?.kind === 'exits' ? marker.code : 0);
    if (marker?.kind === 'exits') return;
    const lines = (await readFile(environment, 'utf8')).split('\0').filter((line) => line !== '');
    env = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  async function startShell(where: string, text: string, words: string): Promise<void> {
    const { child, ended, said } = start('bash', ['-euo', 'pipefail', '-c', typed(where, text)]);
    running.push({ child, ended, where });
    let over = false;
    void ended.then(() => {
      over = true;
    });
    for (const startedAt = Date.now(); !said().includes(words); await sleep(20)) {
      if (over) throw new Error(`${where}: ended before it said "${words}"\n${said()}`);
      if (Date.now() - startedAt > CONDITION_MS) throw new Error(`${where}: did not say "${words}"\n${said()}`);
    }
  }

  return {
    async follow(page: string, block: Block): Promise<void> {
      const where = `${page}:${block.line}`;
      const { language, text, marker, file } = block;
      if (marker?.kind === 'not-run') return;
      switch (language) {
        case 'sh':
          if (marker?.kind === 'background') return startShell(where, text, marker.words);
          return runShell(where, block);
        case 'yaml': {
          const name = file ?? 'shown.yaml';
          await writeFile(join(folder, name), wholeManifest(text));
          return run(where, 'flux-batch', ['plan', name]);
        }
        case 'js':
          await writeFile(join(folder, 'shown.mjs'), fillIn(text));
          return run(where, process.execPath, ['shown.mjs']);
        case '':
        case 'json':
        case 'csv':
          if (file !== undefined) await writeFile(join(folder, file), text);
          return;
        default:
          throw new Error(`${where}: no way to run ${language}: give it a marker with the reason`);
      }
    },
    /** Stops what runs until stopped; each must end well. */
    async stop(): Promise<void> {
      for (const { child, ended, where } of running.splice(0).reverse()) {
        endGroup(child, 'SIGTERM');
        const code = await ended;
        if (code !== 0) throw new Error(`${where}: expected to end with 0 when stopped, got ${code}`);
      }
    },
  };
}

function endGroup({ pid, exitCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended just now.
  }
}
