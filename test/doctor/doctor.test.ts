import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { configFrom, type GivenSettings } from '../../src/config.ts';
import type { Check, CheckName } from '../../src/doctor/check.ts';
import { judgeDisk } from '../../src/doctor/check-disk.ts';
import { drawChecks } from '../../src/doctor/draw.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { unpainted } from '../../src/text/paint.ts';
import { newBucket, openS3 } from '../archive/buckets.ts';
import { answerError, startProxy } from '../archive/s3-proxy.ts';
import { run } from '../commands/cli.ts';
import { freePort, startRedis } from '../services/redis.ts';

describe('flux-batch doctor', () => {
  it('has nothing to say against a set-up that is right, spends nothing, and leaves nothing behind', async () => {
    const { settings, simulator, redis, folder } = await setUp();
    const checks = await examine(configFrom(settings));
    expect(checks.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(new Set(checks.map(({ check }) => check))).toEqual(
      new Set<CheckName>(['provider', 'redis', 'archive', 'clock', 'disk', 'contact-sheet']),
    );
    expect(simulator.ledger().tasks.accepted).toBe(0);
    expect(await redis.keys('*')).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells a wrong key, an empty account, and an API that does not answer', async () => {
    const { settings } = await setUp();
    const wrongKey = await found('provider', { ...settings, FLUX_API_KEY: 'sk-wrong' });
    expect(wrongKey).toMatchObject([{ outcome: 'failed', remedy: expect.stringContaining('FLUX_API_KEY') }]);
    const { settings: poor } = await setUp({ credits: 1 });
    expect(await found('provider', poor)).toMatchObject([
      { outcome: 'ok' },
      { outcome: 'failed', what: expect.stringContaining('1 credits'), remedy: 'Top the account up.' },
    ]);
    const nobody = { ...settings, FLUX_API_URL: `http://127.0.0.1:${await freePort()}` };
    expect(await found('provider', nobody)).toMatchObject([
      { outcome: 'failed', remedy: expect.stringContaining('FLUX_API_URL') },
    ]);
    const { FLUX_API_KEY: _, ...keyless } = settings;
    expect(await found('provider', keyless)).toMatchObject([
      { outcome: 'failed', what: expect.stringContaining('FLUX_API_KEY is not set') },
    ]);
  });

  it('tells a Redis that is not reached, that evicts, and that may lose its jobs at a restart', async () => {
    const { settings, redis } = await setUp();
    const nobody = { ...settings, REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    expect(await found('redis', nobody)).toMatchObject([
      { outcome: 'failed', remedy: expect.stringContaining('REDIS_URL') },
    ]);
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await redis.config('SET', 'appendonly', 'no');
    expect(await wrong('redis', settings)).toMatchObject([
      { outcome: 'failed', remedy: expect.stringContaining('noeviction') },
      { outcome: 'warning', what: expect.stringContaining('appendonly is off') },
    ]);
    const [allowed] = await wrong('redis', { ...settings, REDIS_ALLOW_EVICTION: true });
    expect(allowed).toMatchObject({ outcome: 'warning', what: expect.stringContaining('allkeys-lru') });
  });

  it('names the commands that the ACL of Redis refuses, and keys that are not ours', async () => {
    const { settings, redis } = await setUp();
    const as = (user: string) => ({ ...settings, REDIS_URL: settings.REDIS_URL.replace('//', `//${user}:secret@`) });
    await redis.call('ACL', 'SETUSER', 'narrow', 'on', '>secret', '~{flux-batch}*', '+@all', '-xadd', '-zpopmin');
    expect(await wrong('redis', as('narrow'))).toMatchObject([
      {
        outcome: 'failed',
        what: expect.stringMatching(/refuses ZPOPMIN, XADD: NOPERM/),
        remedy: expect.stringMatching(/ACL SETUSER/),
      },
    ]);
    await redis.call('ACL', 'SETUSER', 'elsewhere', 'on', '>secret', '~other:*', '+@all');
    expect(await wrong('redis', as('elsewhere'))).toMatchObject([
      { outcome: 'failed', what: expect.stringMatching(/refuses HSET, HMSET, PEXPIRE/) },
    ]);
    await redis.call('ACL', 'SETUSER', 'enough', 'on', '>secret', '~{flux-batch}*', '+@all', '-@admin');
    expect((await wrong('redis', as('enough'))).filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  });

  it('tells a replica, which takes no jobs', async () => {
    const { settings, redis } = await setUp();
    await redis.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    expect(await wrong('redis', settings)).toMatchObject([
      { outcome: 'failed', remedy: expect.stringMatching(/names a replica/) },
    ]);
  });

  it('tries a bucket: what it takes, gives back, removes, and whether it honours conditions', async () => {
    const { settings } = await setUp();
    const url = `s3://${newBucket()}/2026`;
    expect(await found('archive', { ...settings, ...s3(), ARCHIVE_URL: url })).toMatchObject([
      { outcome: 'ok', what: expect.stringContaining('is not there yet') },
    ]);
    await openS3({ url }).prepare();
    const sound = { ...settings, ...s3(), ARCHIVE_URL: url };
    expect(await found('archive', sound)).toMatchObject([
      { outcome: 'ok', what: expect.stringContaining('takes writes') },
      { outcome: 'ok', what: expect.stringContaining('conditional') },
    ]);
    expect((await found('clock', sound))[0]?.what).toMatch(/S3/);

    const stubborn = await startProxy(async ({ request, response, isConditional, forward }) => {
      if (request.method === 'DELETE') answerError(response, 403, 'AccessDenied');
      else if (isConditional) answerError(response, 501, 'NotImplemented');
      else await forward();
    });
    expect(await wrong('archive', { ...sound, S3_ENDPOINT: stubborn })).toMatchObject([
      { outcome: 'warning', what: expect.stringMatching(/nothing may be removed/) },
      { outcome: 'warning', what: expect.stringMatching(/ignores conditional writes/) },
    ]);
    const unlisted = await startProxy(async ({ request, response, forward }) => {
      if (request.url?.includes('list-type=2')) answerError(response, 403, 'AccessDenied');
      else await forward();
    });
    expect(await wrong('archive', { ...sound, S3_ENDPOINT: unlisted })).toMatchObject([
      { outcome: 'failed', remedy: expect.stringContaining('s3:ListBucket') },
    ]);
    const refused = await startProxy(async ({ response }) => answerError(response, 403, 'SignatureDoesNotMatch'));
    expect(await wrong('archive', { ...sound, S3_ENDPOINT: refused })).toMatchObject([
      { outcome: 'failed', remedy: expect.stringContaining('AWS_SECRET_ACCESS_KEY') },
    ]);
  });

  it('tells a clock that differs from the API, by how much and in which direction', async () => {
    const { settings } = await setUp();
    const ahead = await serving((_request, response) => {
      response.setHeader('date', new Date(Date.now() + 36_000_000).toUTCString()).end('{}');
    });
    expect(await found('clock', { ...settings, FLUX_API_URL: ahead })).toMatchObject([
      { outcome: 'warning', what: expect.stringMatching(/^this machine's clock is 10h 00m behind that of the API/) },
    ]);
  });

  it('tells whether serve answers at the callback address, and what does in its place', async () => {
    const { settings } = await setUp();
    const at = (FLUX_CALLBACK_URL: string) =>
      found('callbacks', { ...settings, FLUX_CALLBACK_URL, FLUX_WEBHOOK_KEY: 'k' });
    const serve = await serving((request, response) => {
      response.end(request.url === '/flux/healthz' ? '{"status":"ok"}' : 'Welcome');
    });
    expect(await at(`${serve}/flux/`)).toMatchObject([{ outcome: 'ok' }]);
    expect(await at(serve)).toMatchObject([{ outcome: 'warning', what: expect.stringContaining('no serve at') }]);
    const nobody = await at(`http://127.0.0.1:${await freePort()}`);
    expect(nobody).toMatchObject([
      {
        outcome: 'warning',
        what: expect.stringMatching(/ECONNREFUSED/),
        remedy: expect.stringMatching(/flux-batch serve/),
      },
    ]);
  });

  it.each([
    ['ok', { freeBytes: 50e9, freeFiles: undefined }, '50 GB free'],
    ['warning', { freeBytes: 1.2e9, freeFiles: 1e6 }, 'only 1.2 GB free'],
    ['warning', { freeBytes: 50e9, freeFiles: 900 }, 'only 900 more files'],
    ['failed', { freeBytes: 4e6, freeFiles: 1e6 }, 'is full'],
  ] as const)('is %s about a disk with %o', (outcome, space, words) => {
    expect(judgeDisk('the archive', space)).toMatchObject({ outcome, what: expect.stringContaining(words) });
  });

  it('exits with 2 and names what to put right, as a list and as JSON', async () => {
    const { settings, folder } = await setUp();
    const env = { ...settings, FLUX_API_KEY: 'sk-wrong', HOME: folder };
    const [text, json] = [await run(env, 'doctor'), await run(env, 'doctor', '--json')];
    expect(text.code, text.stderr).toBe(2);
    expect(text.stdout).toMatch(/^✗ provider .* refuses the key.*\n +→ Check FLUX_API_KEY/m);
    expect(text.stdout).toMatch(/^✓ redis {10}Redis/m);
    expect(text.stdout).toMatch(/^not ready: 1 thing to put right$/m);
    expect(text.stdout).not.toContain('\u001b');
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ ready: false, checks: expect.any(Array) });
    expect((await run({ ...settings, HOME: folder }, 'doctor')).code).toBe(0);
  });

  it('cannot have its list steered by what a server answers', () => {
    const checks: Check[] = [{ check: 'redis', outcome: 'failed', what: 'no\u001b[2J', remedy: 'one\ntwo\u0007' }];
    expect(drawChecks(checks, unpainted).join('\n')).toBe(
      '✗ redis  no [2J\n         → one\n         → two \n\nnot ready: 1 thing to put right',
    );
  });
});

async function found(check: CheckName, settings: GivenSettings): Promise<Check[]> {
  return (await examine(configFrom(settings))).filter((one) => one.check === check);
}

async function wrong(check: CheckName, settings: GivenSettings): Promise<Check[]> {
  return (await found(check, settings)).filter(({ outcome }) => outcome !== 'ok');
}

async function setUp(options: SimulatorOptions = {}) {
  const server = await startRedis({ appendonly: true });
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-doctor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const settings = {
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    REDIS_URL: server.url,
    ARCHIVE_URL: folder,
  };
  return { settings, simulator, redis, folder };
}

/** The credentials are those of the environment, as with every AWS program. */
function s3(): GivenSettings {
  const { endpoint, accessKeyId, secretAccessKey } = inject('s3');
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { S3_ENDPOINT: endpoint };
}

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return `http://127.0.0.1:${address.port}`;
}
