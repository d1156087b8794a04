import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

/** 127.0.0.1 as the kernel writes it, in the byte order of the machine. */
const LOOPBACK = ['0100007F', '7F000001'];
const LISTENS = '0A';

/**
 * Whether it is this process, of this user, that listens at the port on 127.0.0.1. The kernel is asked: who listens there gets not
 * one byte. False where it cannot be told.
 */
export async function isListener({ pid, port }: { pid: number; port: number }): Promise<boolean> {
  const table = await readFile('/proc/net/tcp', 'utf8').catch(() => undefined);
  return table === undefined ? isListenerByLsof({ pid, port }) : isListenerIn(table, { pid, port });
}

/** `table`: see proc(5), `/proc/net/tcp`. */
async function isListenerIn(table: string, { pid, port }: { pid: number; port: number }): Promise<boolean> {
  const at = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', localPort] = local.split(':');
    return state === LISTENS && localPort === at && LOOPBACK.includes(address) ? [inode] : [];
  });
  const held = await socketsOf(pid);
  return inodes.length > 0 && inodes.every((inode) => held.has(inode));
}

/** The inodes of the sockets that a process of this user holds; none of another user's. */
export async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  try {
    // To root, the processes of all users are open.
    if ((await stat(`/proc/${pid}`)).uid !== process.getuid?.()) return new Set();
    const links = await Promise.all(
      (await readdir(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => '')),
    );
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  } catch {
    return new Set();
  }
}

/** macOS has no /proc. Its lsof shows no sockets of other users' processes. */
export async function isListenerByLsof({ pid, port }: { pid: number; port: number }): Promise<boolean> {
  const args = ['-nP', '-a', '-p', String(pid), `-iTCP@127.0.0.1:${port}`, '-sTCP:LISTEN', '-t'];
  const { stdout } = await promisify(execFile)('lsof', args).catch(() => ({ stdout: '' }));
  return stdout.trim() === String(pid);
}
