import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FluxError, UsageError } from '../../errors.ts';
import { withFileLock } from '../../files/file-lock.ts';
import { joinServer, type Membership } from './membership.ts';
import {
  forgetServer,
  freePort,
  hasEnded,
  isRunning,
  lastLogLines,
  rememberedServer,
  type Server,
  startServer,
} from './server.ts';

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
 * The Redis of a folder. If none runs, it is started on a free loopback port; otherwise all flux-batch commands in that
 * folder share it. Each user holds one named connection, which the kernel closes however the process ends. So a killed user
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
    const { pid, port, password } = user.server;
    log(running ? 'redis-shared' : 'redis-started', { pid, port, folder });

    let closing: Promise<void> | undefined;
    const close = () => withFileLock(lock, () => leave(user, folder, log)).finally(() => user.end());
    return {
      url: `redis://:${password}@127.0.0.1:${port}`,
      started: !running,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  });
}

async function openFolder(stateDir: string): Promise<string> {
  const folder = join(stateDir, 'redis');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (cause) {
    throw new UsageError('state-dir', `Cannot keep Redis data in ${folder}`, {
      hint: 'Run in a folder that you can write to, or set REDIS_URL.',
      cause,
    });
  }
  return folder;
}

/**
 * Returns undefined if the state file is stale: its server is gone, even if another process now has its port or pid. While
 * the server lives, a second one on the same data would be dangerous. So a server that starts, loads or ends is waited for.
 */
async function joinRunning(server: Server): Promise<Membership | undefined> {
  const { pid, port } = server;
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const user = await joinServer(server);
    if (user || !(await isRunning(server))) return user;
    if (Date.now() > deadline) {
      throw new FluxError('redis-stuck', `The redis-server of this folder (pid ${pid}) runs but does not answer`, {
        facts: { pid, port },
        hint: `Stop it with: kill ${pid}`,
      });
    }
    await sleep(50);
  }
}

/** Starts a server, on the previous port if that is free: users of a crashed server then reconnect to the new one. */
async function joinStarted(folder: string, former: Server | undefined): Promise<Membership> {
  const port = await freePort(former?.port);
  const password = former?.port === port ? former.password : randomBytes(24).toString('hex');
  const { server, exited } = await startServer(folder, { port, password });
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
    facts: { folder, port },
    hint: `Its data is in ${folder}. Without that folder the queue starts empty, and the archive's records still tell what was paid for.`,
  });
}

async function leave(user: Membership, folder: string, log: Log): Promise<void> {
  const { pid, port } = user.server;
  const others = await user.others();
  if (others === undefined) {
    log('redis-lost', { pid, port });
  } else if (others > 0) {
    // Before the lock is free: the next user that leaves must not count this one, or nobody stops the server.
    await user.resign();
    log('redis-left', { pid, port, others });
  } else if ((await user.shutdown()) && (await hasEnded(user.server, ENDS_WITHIN_MS))) {
    forgetServer(folder);
    log('redis-stopped', { pid, port });
  } else {
    // The server refuses to stop if it cannot save, for example on a full disk. It keeps running with its data, and the
    // next command finds it.
    log('redis-not-stopped', { pid, port, log: await lastLogLines(folder) });
  }
}
