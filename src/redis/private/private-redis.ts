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
  /** Whether this call started the server; false when it found one running. */
  started: boolean;
  /** The last user of the folder stops the server, its data safe on disk; others leave it running. */
  close(): Promise<void>;
};
export type Log = (event: string, facts: Record<string, unknown>) => void;

/** Reading the data of a million items back takes half a minute. */
const READY_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 30_000;

/**
 * The Redis of a folder: started on a free loopback port where none runs, else shared with the flux-batch commands that
 * run there. Each user holds one named connection, which the kernel closes however the user ends; so a user that was
 * killed is no user any more, and a server that lost its starter is found by the next command.
 *
 * Throws a UsageError `redis-missing` when no server is installed or `state-dir` when the folder cannot be used, and a
 * FluxError `redis-start-failed` (with the server's last log lines) or `redis-stuck`.
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
 * Undefined when the state file is stale: its server is gone, whatever else may have its port or its pid now. While the
 * server lives there must be no second on the same data, so one that starts, loads or ends is waited for.
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

/** On the former port where it is free: users of a server that crashed find the new one by themselves. */
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
  const fate = ended ? `ended with ${exitCode ?? 'a signal'}` : 'does not answer';
  if (!ended) process.kill(server.pid, 'SIGTERM');
  throw new FluxError('redis-start-failed', `redis-server ${fate}:\n${await lastLogLines(folder)}`, {
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
    log('redis-left', { pid, port, others });
  } else if ((await user.shutdown()) && (await hasEnded(user.server, ENDS_WITHIN_MS))) {
    forgetServer(folder);
    log('redis-stopped', { pid, port });
  } else {
    // Its disk may be full. It keeps running with its data, and the next command finds it.
    log('redis-not-stopped', { pid, port, log: await lastLogLines(folder) });
  }
}
