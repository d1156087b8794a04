import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectRedis } from '../../src/redis/connection.ts';
import { pictures, startCrew } from '../batch/crew.ts';
import { freePort, startRedis } from '../services/redis.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-redis-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** `redis-server --sentinel` is what redis-sentinel is. */
async function startSentinel(masterPort: number): Promise<number> {
  const port = await freePort();
  const file = join(await temporaryFolder(), 'sentinel.conf');
  const watch = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
  ];
  await writeFile(file, `${watch.join('\n')}\n`);
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return port;
}

const quick = { patient: false, name: 'test' };

describe('behind Redis Sentinel', () => {
  it('a fleet goes on with the new master when the old one dies', async () => {
    const master = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    onTestFinished(() => replica.stop());
    const port = await startSentinel(master.port);
    const url = `redis+sentinel://127.0.0.1:${port}/main`;
    await vi.waitFor(
      async () => {
        const redis = await connectRedis(url, quick);
        const info = await redis.info('replication');
        redis.disconnect();
        expect(info).toContain('state=online');
      },
      { interval: 100 },
    );

    const crew = await startCrew({ redisUrl: url, rate: '10/500ms' });
    await crew.enqueue('over', pictures(60));
    await crew.work();
    await crew.until('over', ({ items }) => items.archived > 5);
    await master.kill();
    expect((await crew.ended('over')).items.archived).toBe(60);
    expect(crew.simulator.ledger().tasks.accepted).toBe(60);
  });

  it('a master that the sentinels do not know is an error at once', async () => {
    const master = await startRedis();
    onTestFinished(() => master.stop());
    const port = await startSentinel(master.port);
    await vi.waitFor(async () => (await connectRedis(`redis://127.0.0.1:${port}`, quick)).disconnect());
    await expect(connectRedis(`redis+sentinel://127.0.0.1:${port}/other`, quick)).rejects.toMatchObject({
      code: 'redis-unreachable',
    });
  });
});

describe('over TLS', () => {
  it('a server is trusted by the certificate of REDIS_TLS_CA, and not without', async () => {
    const folder = await temporaryFolder();
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const newKey = ['-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', certificate];
    await promisify(execFile)('openssl', ['req', '-x509', ...newKey, ...subject]);
    const tlsPort = await freePort();
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    const args = ['--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'no'];
    const redis = await startRedis({ args });
    onTestFinished(() => redis.stop());

    const url = `rediss://127.0.0.1:${tlsPort}`;
    await expect(connectRedis(url, quick)).rejects.toMatchObject({
      code: 'redis-unreachable',
      message: expect.stringContaining('self-signed'),
    });
    const trusted = await connectRedis(url, { ...quick, tlsCaFile: certificate });
    expect(await trusted.ping()).toBe('PONG');
    trusted.disconnect();
    await expect(connectRedis(url, { ...quick, tlsCaFile: join(folder, 'none') })).rejects.toMatchObject({
      code: 'redis-ca-unreadable',
    });
  });
});
