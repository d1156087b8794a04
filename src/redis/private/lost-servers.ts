import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { socketsOf } from './listener.ts';
import { isOwn, SOCKET_NAME } from './socket.ts';

/** As the kernel names a working directory that was removed, proc(5). One that was moved has its new name there. */
const REMOVED = / \(deleted\)$/;

/**
 * Ends private servers that nobody can find any more: their folder was removed, with all of their data, after a kill of the last
 * user. One that somebody is still connected to is left, and so is each whose folder is there: a person may want its data. Only where
 * there is a /proc. Resolves with their pids.
 */
export async function endLostServers(among = processes): Promise<number[]> {
  const ended: number[] = [];
  for (const pid of await among()) {
    if (!(await isLost(pid))) continue;
    try {
      process.kill(pid, 'SIGTERM');
      ended.push(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ended;
}

async function processes(): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  return names.map(Number).filter((pid) => pid > 0);
}

async function isLost(pid: number): Promise<boolean> {
  const folder = `/proc/${pid}`;
  try {
    if (!REMOVED.test(await readlink(`${folder}/cwd`)) || !isOwn(await stat(folder))) return false;
    const command = await readFile(`${folder}/cmdline`, 'utf8');
    if (!/redis|valkey/.test(command) || !SOCKET_NAME.test(command)) return false;
  } catch {
    // It has ended, or is another user's.
    return false;
  }
  // The one that it listens at. Each connection has one more.
  return (await socketsOf(pid)).size === 1;
}
