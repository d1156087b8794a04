import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackedPackages } from './debian-packages.mjs';

const START = fileURLToPath(new URL('start-swift.py', import.meta.url));
const PACKAGES = ['swift-proxy', 'swift-account', 'swift-container', 'swift-object'];

/** OpenStack Swift and its s3api, on loopback. It ends with `stop`, and when this process dies, since it watches the pipe between us. */
export async function startSwift() {
  const programs = { python3: 'usr/bin/python3.11' };
  const folder = await unpackedPackages({ name: 'swift-bookworm', release: 'bookworm', packages: PACKAGES, programs });
  const data = await mkdtemp(join(tmpdir(), 'flux-batch-swift-'));
  const port = await freePort();
  const python = {
    PYTHONHOME: join(folder, 'root/usr'),
    PYTHONPATH: join(folder, 'root/usr/lib/python3/dist-packages'),
  };
  const swift = spawn(join(folder, 'python3'), ['-W', 'ignore', START, join(data, 'swift'), `${port}`], {
    env: { PATH: process.env.PATH, USER: process.env.USER, ...python },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(swift, 'close');
  const isReady = await Promise.race([once(swift.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!isReady) throw new Error('Swift did not start');
  return {
    environment: {
      TEST_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'test:tester',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: 'us-east-1',
    },
    async stop() {
      swift.stdin.end();
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
