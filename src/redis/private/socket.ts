import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, type Stats } from 'node:fs';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { LONGEST_SOCKET_BYTES } from '../url.ts';

/**
 * With a 0 in it: versions up to 0.2 look for the port in the server's command line, which is 0 in the state file. So they take it for
 * running, and do not start a second one on the same data.
 */
const newName = () => `redis-0${randomBytes(6).toString('hex')}.sock`;
export const SOCKET_NAME = /redis-0[0-9a-f]{12}\.sock/;
const NAME = new RegExp(`^${SOCKET_NAME.source}$`);

/**
 * Where a server of the folder may listen. In the folder itself, which is for this user alone; where that has too long a path, or
 * cannot hold sockets (as some mounts), in a short folder that is for this user alone as well. Throws a UsageError `state-dir`.
 */
export async function newSocket(folder: string): Promise<string> {
  for (const place of [folder, ...shortFolders()]) {
    const socket = join(place, newName());
    if (!isShort(socket) || !(await isOwnFolder(place, { make: place !== folder }))) continue;
    if (await canListen(socket)) return socket;
  }
  throw new UsageError('state-dir', `No folder was found that can hold the socket of a Redis for ${folder}`, {
    hint: 'Run in a folder on a local disk with a shorter path, or set REDIS_URL.',
  });
}

/** Whether a server may listen there again: then who used the former one finds it by itself. */
export async function isUsable(socket: string): Promise<boolean> {
  if (!isShort(socket) || !(await isOwnFolder(dirname(socket)))) return false;
  return !existsSync(socket) || isOwnSocket(socket);
}

/** Whether who listens there is of this user: only then is anything sent there. A link, or another user's socket, is not. */
export async function isOwnSocket(socket: string): Promise<boolean> {
  const found = await lstat(socket).catch(() => undefined);
  return found?.isSocket() === true && isOwn(found) && (await isOwnFolder(dirname(socket)));
}

/** Of servers that were killed. None runs in the folder but that of `kept`. */
export async function removeStale(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder))
    if (NAME.test(name) && join(folder, name) !== kept) await rm(join(folder, name), { force: true });
}

/** A folder, and no link to one, that nobody but this user can reach into. */
async function isOwnFolder(folder: string, { make = false } = {}): Promise<boolean> {
  if (make) await mkdir(folder, { mode: 0o700 }).catch(() => {});
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && isOwn(found) && (found.mode & 0o077) === 0;
}

/** Windows has no users by number, and no such server. */
export function isOwn({ uid }: Pick<Stats, 'uid'>): boolean {
  return uid === (process.getuid?.() ?? uid);
}

function shortFolders(): string[] {
  const user = process.getuid?.() ?? 0;
  return [`/run/user/${user}/flux-batch`, join(tmpdir(), `flux-batch-${user}`), `/tmp/flux-batch-${user}`];
}

const isShort = (path: string) => Buffer.byteLength(path) <= LONGEST_SOCKET_BYTES;

async function canListen(path: string): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(path);
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
