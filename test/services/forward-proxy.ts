import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { freePort } from './redis.ts';

/** Debian's tinyproxy. Where it cannot be had, tests of the way through a proxy are skipped. */
export const hasForwardProxy = spawnSync('tinyproxy', ['-v']).status === 0;
if (!hasForwardProxy) console.warn('skipped: no tinyproxy on the PATH (apt-get install tinyproxy-bin)');

export type ForwardProxy = {
  url: string;
  port: number;
  /** What it was asked for, as its log says, which may come after the answer: `CONNECT host:port`, `GET http://host:port/…`. */
  requests(): string[];
};

/** A real forward proxy on loopback that ends with the test. */
export async function startForwardProxy({ user }: { user?: string } = {}): Promise<ForwardProxy> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-proxy-'));
  const file = join(folder, 'tinyproxy.conf');
  const auth = user === undefined ? [] : [`BasicAuth ${user.replace(':', ' ')}`];
  const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 600', 'LogLevel Connect', 'MaxClients 300', ...auth];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('tinyproxy', ['-d', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  onTestFinished(async () => {
    process.off('exit', killNow);
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  await vi.waitFor(() => listens(port));
  return {
    url: `http://${user === undefined ? '' : `${user}@`}127.0.0.1:${port}`,
    port,
    requests: () => [...log.matchAll(/Request \(file descriptor \d+\): (\S+ \S+)/g)].map(([, asked = '']) => asked),
  };
}

async function listens(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}
