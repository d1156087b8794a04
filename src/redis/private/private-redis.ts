import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FluxError, messageOf, UsageError } from '../../errors.ts';
import { withFileLock } from '../../files/file-lock.ts';
import { socketUrl } from '../url.ts';
import { endLostServers } from './lost-servers.ts';
import { joinServer, type Membership } from './membership.ts';
import {
  forgetServer,
  hasEnded,
  isRunning,
  lastLogLines,
  rememberedServer,
  type Server,
  startServer,
} from './server.ts';
import { isOwn, isOwnSocket, isUsable, newSocket, removeStale } from './socket.ts';

export type PrivateRedis = {
  url: string;
  /** True if this call started the server, false if one was running. */
  started: boolean;
  /** The last user of the folder stops the server after it has saved its data. Other users leave it running. */
  close(): Promise<void>;
};
export type Log = (event: string, facts: Record<string, unknown>) => void;

/** Loading the data of a million items takes half a minute. */
const READY_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 30_000;

/**
 * The Redis of a folder. If none runs, it is started, on a socket that only this user reaches; otherwise all flux-batch commands in
 * that folder share it. Each user holds one named connection, which the kernel closes however the process ends. So a killed user
 * no longer counts, and if the process that started the server dies, the next command finds the server.
 *
 * Throws a UsageError `redis-missing` (no server is installed) or `state-dir` (the folder cannot be used), and a FluxError
 * `redis-start-failed` (with the server's last log lines) or `redis-stuck`.
 */
export async function privateRedis(stateDir: string, log: Log = () => {}): Promise<PrivateRedis> {
  const folder = await openFolder(stateDir);
  const lock = join(folder, 'redis.lock');
  return withFileLock(lock, async () => {
    const remembered = await rememberedServer(folder);
    const running = remembered && (await joinRunning(remembered));
    const user = running ?? (await joinStarted(folder, remembered));
    const { pid, port, password, socket } = user.server;
    log(running ? 'redis-shared' : 'redis-started', { pid, folder });
    if (!running) for (const lost of await endLostServers()) log('redis-lost-ended', { pid: lost });

    let closing: Promise<void> | undefined;
    const close = () => withFileLock(lock, () => leave(user, folder, log)).finally(() => user.end());
    return {
      url: socket === undefined ? `redis://:${password}@127.0.0.1:${port}` : socketUrl(socket, password),
      started: !running,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  });
}

async function openFolder(stateDir: string): Promise<string> {
  const given = join(stateDir, 'redis');
  const hint = 'Run in a folder that you can write to, or set REDIS_URL.';
  try {
    await mkdir(given, { recursive: true, mode: 0o700 });
    const folder = await realpath(given);
    // Root may do this in anybody's folder, whose owner then decides what is in it.
    if (!isOwn(await stat(folder))) throw new Error("it is another user's");
    await chmod(folder, 0o700);
    return folder;
  } catch (cause) {
    throw new UsageError('state-dir', `Cannot keep Redis data in ${given}: ${messageOf(cause)}`, { hint, cause });
  }
}

/**
 * Returns undefined if the state file is stale: its server is gone, even if another process now has its address or pid. While
 * the server lives, a second one on the same data would be dangerous. So a server that starts, loads or ends is waited for.
 */
async function joinRunning(server: Server): Promise<Membership | undefined> {
  const { pid, socket } = server;
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const user = await joinServer(server);
    if (user && !(socket === undefined && (await retires(user)))) return user;
    if (!(await isRunning(server))) return undefined;
    const isForeign = socket !== undefined && existsSync(socket) && !(await isOwnSocket(socket));
    if (isForeign || Date.now() > deadline) {
      const why = isForeign ? `at ${socket} there is not its socket any more` : 'does not answer';
      throw new FluxError('redis-stuck', `The redis-server of this folder (pid ${pid}) runs, but ${why}`, {
        facts: { pid },
        hint: `Stop it with: kill ${pid}`,
      });
    }
    await sleep(50);
  }
}

/** A server at a port that an older version left, and nobody uses, makes room for one at a socket. Its data stays. */
async function retires(user: Membership): Promise<boolean> {
  if ((await user.others()) !== 0 || !(await user.shutdown())) return false;
  user.end();
  await hasEnded(user.server, ENDS_WITHIN_MS);
  return true;
}

/** Starts a server, on the previous socket if that can be: users of a crashed server then reconnect to the new one. */
async function joinStarted(folder: string, former: Server | undefined): Promise<Membership> {
  const again = former?.socket !== undefined && (await isUsable(former.socket)) ? former : undefined;
  const socket = again?.socket ?? (await newSocket(folder));
  const password = again?.password ?? randomBytes(24).toString('hex');
  await removeStale(folder, socket);
  const { server, exited } = await startServer(folder, { socket, password });
  let ended = false;
  let exitCode: number | null = null;
  void exited.then((code) => {
    ended = true;
    exitCode = code;
  });

  const deadline = Date.now() + READY_WITHIN_MS;
  while (!ended && Date.now() < deadline) {
    const user = await joinServer(server);
    if (user) return user;
    await sleep(20);
  }
  const outcome = ended ? `ended with ${exitCode ?? 'a signal'}` : 'does not answer';
  if (!ended) process.kill(server.pid, 'SIGTERM');
  throw new FluxError('redis-start-failed', `redis-server ${outcome}:\n${await lastLogLines(folder)}`, {
    facts: { folder },
    hint: `Its data is in ${folder}. Without that folder the queue starts empty, and the archive's records still tell what was paid for.`,
  });
}

async function leave(user: Membership, folder: string, log: Log): Promise<void> {
  const { pid } = user.server;
  const others = await user.others();
  if (others === undefined) {
    log('redis-lost', { pid });
  } else if (others > 0) {
    // Before the lock is free: the next user that leaves must not count this one, or nobody stops the server.
    await user.resign();
    log('redis-left', { pid, others });
  } else if ((await user.shutdown()) && (await hasEnded(user.server, ENDS_WITHIN_MS))) {
    forgetServer(folder);
    log('redis-stopped', { pid });
  } else {
    // The server refuses to stop if it cannot save, for example on a full disk. It keeps running with its data, and the
    // next command finds it.
    log('redis-not-stopped', { pid, log: await lastLogLines(folder) });
  }
}
