import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { FluxError, UsageError } from '../../errors.ts';
import { isAlive } from '../../files/file-lock.ts';

/** The server of one folder, as its state file `redis.json` has it. */
const serverSchema = z.object({ port: z.int(), pid: z.int(), password: z.string() });
export type Server = z.infer<typeof serverSchema>;

const STATE = 'redis.json';
const CONFIG = 'redis.conf';
const LOG = 'redis.log';
const PROGRAMS = ['redis-server', 'valkey-server'];

const HOW_TO_GET_REDIS = [
  'Install one:   apt install redis-server   or   brew install redis',
  'Or run one:    docker run -d -p 127.0.0.1:6379:6379 redis:7 redis-server --appendonly yes --hz 100',
  '               and set REDIS_URL=redis://127.0.0.1:6379',
  'REDIS_URL can point at any Redis from 6.2 on, or Valkey.',
].join('\n');

/** What the state file says; undefined when there is none or it cannot be read as one. */
export async function rememberedServer(folder: string): Promise<Server | undefined> {
  const text = await readFile(join(folder, STATE), 'utf8').catch(() => '');
  try {
    return serverSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Removes what names a stopped server, its password included. The data stays. */
export function forgetServer(folder: string): void {
  for (const name of [STATE, CONFIG]) rmSync(join(folder, name), { force: true });
}

/**
 * Starts a server on the folder's data and returns at once; it is not ready yet. `exited` tells why it ended, if it does.
 * Throws a UsageError `redis-missing` when there is no such program.
 */
export async function startServer(
  folder: string,
  address: { port: number; password: string },
): Promise<{ server: Server; exited: Promise<number | null> }> {
  writePrivate(join(folder, CONFIG), configOf(address.password));
  for (const program of PROGRAMS) {
    const child = spawnServer(program, folder, address.port);
    const { pid } = child;
    if (pid === undefined) {
      const [error]: unknown[] = await once(child, 'error');
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw new FluxError('redis-start-failed', `${program} cannot be run`, { cause: error });
    }
    const server = { ...address, pid };
    // Before anything is awaited: were we killed with the server running and this unwritten, nobody would find it.
    writePrivate(join(folder, STATE), JSON.stringify(server));
    child.unref();
    return { server, exited: exitOf(child) };
  }
  forgetServer(folder);
  throw new UsageError('redis-missing', `No REDIS_URL is set and no ${PROGRAMS.join(' or ')} is on the PATH`, {
    hint: HOW_TO_GET_REDIS,
  });
}

/** Its own last words. */
export async function lastLogLines(folder: string, count = 6): Promise<string> {
  const text = await readFile(join(folder, LOG), 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-count).join('\n');
}

/**
 * Whether the process of that number still is this server: numbers are given out again, so its command line must name
 * the port, which redis-server keeps there. A zombie has no command line and so is none.
 */
export async function isRunning({ pid, port }: Server): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command = await commandLineOf(pid);
  return /redis|valkey/.test(command) && command.includes(String(port));
}

/** Waits until the process has ended, so that its files are free. False when it has not within the time. */
export async function hasEnded(server: Server, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (await isRunning(server)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** The port itself where it is free, else another. */
export async function freePort(wanted = 0): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
  } catch {
    return freePort();
  }
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return address !== null && typeof address === 'object' ? address.port : freePort();
}

/** `dir ./`, and our working directory there, spares quoting paths. `hz 100`: delayed jobs are promoted in time. */
function configOf(password: string): string {
  return [
    'bind 127.0.0.1',
    `requirepass ${password}`,
    'dir ./',
    'daemonize no',
    'logfile ""',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'hz 100',
    '',
  ].join('\n');
}

/** In its own process group: Ctrl-C in the terminal reaches us only, and we still need it to drain. */
function spawnServer(program: string, folder: string, port: number): ChildProcess {
  const log = openSync(join(folder, LOG), 'w', 0o600);
  try {
    return spawn(program, [CONFIG, '--port', String(port)], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** Whole or not at all, and never readable for others, not even for a moment. */
function writePrivate(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
  renameSync(temporary, path);
}

async function commandLineOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // No /proc, as on macOS: there is always a ps there.
    const ps = promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
    return (await ps.catch(() => ({ stdout: '' }))).stdout;
  }
}
