import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { FluxError, UsageError } from '../../errors.ts';
import { isAlive } from '../../files/file-lock.ts';

/**
 * The server of one folder, as stored in the state file `redis.json`: `socket` relative to the folder, absolute once read. Versions
 * up to 0.2 had no socket but a port, which is 0 since.
 */
const serverSchema = z.object({
  port: z.int(),
  pid: z.int(),
  password: z.string(),
  socket: z.string().exactOptional(),
});
export type Server = Readonly<z.infer<typeof serverSchema>>;

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

/** Reads the state file. Undefined if it is missing or invalid. */
export async function rememberedServer(folder: string): Promise<Server | undefined> {
  const text = await readFile(join(folder, STATE), 'utf8').catch(() => '');
  try {
    const { socket, ...server } = serverSchema.parse(JSON.parse(text));
    return { ...server, ...(socket === undefined ? {} : { socket: resolve(folder, socket) }) };
  } catch {
    return undefined;
  }
}

/** Removes the files that describe a stopped server, including its password. The data stays. */
export function forgetServer(folder: string): void {
  for (const name of [STATE, CONFIG]) rmSync(join(folder, name), { force: true });
}

/**
 * Starts a server on the folder's data and returns before it is ready. `exited` resolves with its exit code, or null after
 * a signal. Throws a UsageError `redis-missing` if no server program is installed.
 */
export async function startServer(
  folder: string,
  { socket, password }: { socket: string; password: string },
): Promise<{ server: Server; exited: Promise<number | null> }> {
  writePrivate(join(folder, CONFIG), configOf(password));
  for (const program of PROGRAMS) {
    const child = spawnServer(program, folder, withinFolder(folder, socket));
    const { pid } = child;
    if (pid === undefined) {
      const [error]: unknown[] = await once(child, 'error');
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw new FluxError('redis-start-failed', `${program} cannot be run`, { cause: error });
    }
    const server = { port: 0, pid, password, socket };
    // Write this before any await. If we were killed in between, the server would run and no command could find it.
    writePrivate(join(folder, STATE), JSON.stringify({ ...server, socket: withinFolder(folder, socket) }));
    child.unref();
    return { server, exited: exitOf(child) };
  }
  forgetServer(folder);
  throw new UsageError('redis-missing', `No REDIS_URL is set and no ${PROGRAMS.join(' or ')} is on the PATH`, {
    hint: HOW_TO_GET_REDIS,
  });
}

/** The last lines of the server's own log. */
export async function lastLogLines(folder: string, count = 6): Promise<string> {
  const text = await readFile(join(folder, LOG), 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-count).join('\n');
}

/**
 * Whether the process with this pid is still this server. Pids are reused, so the command line must contain the socket or the port,
 * which redis-server keeps there. A zombie has no command line and does not count.
 */
export async function isRunning({ pid, port, socket }: Server): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command = await commandLineOf(pid);
  return /redis|valkey/.test(command) && command.includes(socket === undefined ? String(port) : basename(socket));
}

/** Waits until the process has ended and its files are free. Returns false if that takes longer than `withinMs`. */
export async function hasEnded(server: Server, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (await isRunning(server)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** `dir ./` with our working directory avoids quoting paths. With `hz 100`, delayed jobs are promoted in time. */
function configOf(password: string): string {
  return [
    'port 0',
    'unixsocketperm 600',
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

/** Runs in its own process group. Ctrl-C in the terminal then reaches only us, and draining still needs the server. */
function spawnServer(program: string, folder: string, socket: string): ChildProcess {
  const log = openSync(join(folder, LOG), 'w', 0o600);
  try {
    return spawn(program, [CONFIG, '--unixsocket', socket], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** The server's working directory is the folder. Its own name for the socket may be short, and stays right where the folder is moved. */
function withinFolder(folder: string, socket: string): string {
  const name = relative(folder, socket);
  return name.includes('..') ? socket : name;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** Writes atomically, and the file is at no moment readable for other users: it holds a password. */
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
    // There is no /proc on macOS, but always a `ps`.
    const ps = promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
    return (await ps.catch(() => ({ stdout: '' }))).stdout;
  }
}
