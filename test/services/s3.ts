import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type S3Service = {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop: () => Promise<void>;
};

/**
 * A real S3 server: the one of `TEST_S3_ENDPOINT` (with the usual AWS variables), else a Ceph of our own, up in a second
 * or two. It ends with `stop`, and also when this process dies of anything, since it watches the pipe between us.
 */
export async function startS3(): Promise<S3Service> {
  const { TEST_S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (endpoint === undefined || endpoint === '') return startCeph();
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new Error('TEST_S3_ENDPOINT needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY beside it');
  }
  return {
    endpoint,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    stop: async () => {},
  };
}

const BINARIES = ['ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw', 'radosgw-admin'];
const KEYS = { accessKeyId: 'testaccesskey', secretAccessKey: 'testsecretkey' };

async function startCeph(): Promise<S3Service> {
  const missing = BINARIES.filter((binary) => !isOnPath(binary));
  if (missing.length > 0) throw new Error(`${INSTALL}\nNot found on the PATH: ${missing.join(', ')}`);

  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-s3-'));
  const [monPort, s3Port] = await freePorts();
  const ceph = spawn('bash', [SCRIPT, folder, `${monPort}`, `${s3Port}`], {
    // A group of its own, so that Ctrl-C on the terminal reaches us first and the end is ours to order.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, TEST_S3_ACCESS_KEY: KEYS.accessKeyId, TEST_S3_SECRET_KEY: KEYS.secretAccessKey },
  });
  const ended = new Promise<void>((resolve) => ceph.once('close', () => resolve()).once('error', () => resolve()));
  // It may be gone before we close its input.
  ceph.stdin.on('error', () => {});
  let complaints = '';
  ceph.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });

  const stop = async () => {
    ceph.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };

  const ready = new Promise<boolean>((resolve) => {
    ceph.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('ready') && resolve(true));
    void ended.then(() => resolve(false));
  });
  if (await ready) return { endpoint: `http://127.0.0.1:${s3Port}`, ...KEYS, stop };
  await stop();
  throw new Error(`The Ceph test server did not start:\n${complaints}`);
}

const SCRIPT = fileURLToPath(new URL('ceph.sh', import.meta.url));

const INSTALL = `The tests run on a real S3 server. Install one (Debian, Ubuntu):
  apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common
or name a running one in TEST_S3_ENDPOINT, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;

function isOnPath(binary: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, binary), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Two ports that are free now, and the one after the first as well: the monitor takes a pair. */
async function freePorts(): Promise<[monitor: number, s3: number]> {
  const first = await listen(0);
  const second = await listen(first.port + 1).catch(() => undefined);
  const third = await listen(0);
  await Promise.all([first, second, third].map((held) => held?.release()));
  return second === undefined ? freePorts() : [first.port, third.port];
}

async function listen(wanted: number): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(wanted, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return { port: address.port, release: () => new Promise((resolve) => server.close(() => resolve())) };
}
