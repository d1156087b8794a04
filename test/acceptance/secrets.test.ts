import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startProcess } from '../faults/crew.ts';
import { openStand, type Stand } from '../faults/stand.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';

const planted = (what: string) => `planted-${what}-${randomUUID().slice(0, 8)}`;
const SECRETS = {
  apiKey: planted('api'),
  webhookKey: planted('webhook'),
  redisPassword: `${planted('redis')}/with@odd"ones`,
  servePassword: planted('serve'),
};
/** The server's own, as the Ceph of the tests has it. */
const s3Secret = () => inject('s3').secretAccessKey;

let redis: TestRedis;
let stand: Stand;
let environment: Record<string, string>;

beforeAll(async () => {
  const { accessKeyId, secretAccessKey, endpoint } = inject('s3');
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
  // Its append-only file as plain text is all that was ever written to it.
  redis = await startRedis({ appendonly: true, args: ['--aof-use-rdb-preamble', 'no'] });
  const client = new Redis(redis.url);
  await client.config('SET', 'requirepass', SECRETS.redisPassword);
  client.disconnect();

  stand = await openStand({
    items: 8,
    redisUrl: `redis://:${encodeURIComponent(SECRETS.redisPassword)}@127.0.0.1:${redis.port}`,
    archive: { url: `s3://secrets-${randomUUID()}/batch`, endpoint, directEndpoint: endpoint },
    simulator: { apiKey: SECRETS.apiKey, webhookKey: SECRETS.webhookKey },
    // So that every kind of URL is used, and much is said of it.
    faults: [
      { name: 'image-html', times: 8 },
      { name: 'image-500', times: 4 },
      { name: 'poll-500', times: 2 },
      { name: 'code-500', times: 1 },
    ],
    environment: {
      FLUX_WEBHOOK_KEY: SECRETS.webhookKey,
      SERVE_PASSWORD: SECRETS.servePassword,
      LOG_LEVEL: 'trace',
    },
  });
  environment = { ...stand.environment, FLUX_API_KEY: SECRETS.apiKey };
});
afterAll(async () => {
  await stand.close();
  await redis.stop();
});

const cli = (args: readonly string[], more: Record<string, string> = {}) =>
  startProcess(args, { environment: { ...environment, ...more }, cwd: stand.folder }).ended;

function holdsNoSecret(where: string, text: string) {
  const { redisPassword } = SECRETS;
  const forms = [redisPassword, encodeURIComponent(redisPassword), JSON.stringify(redisPassword).slice(1, -1)];
  for (const secret of [...Object.values(SECRETS), ...forms, s3Secret()]) {
    expect(text.includes(secret), `${where} holds ${secret}`).toBe(false);
  }
}

test('no planted secret and no image URL is in logs, output, Redis or the archive', async () => {
  const run = await cli(['run', stand.manifestFile, '--yes', '--json', '--debug']);
  expect(run.status, run.stderr).toBe(1);
  expect(run.stderr).toContain('"msg":"archived"');
  const others = await Promise.all([
    cli(['config']),
    cli(['config', '--json']),
    cli(['status']),
    cli(['results', stand.batch]),
  ]);
  for (const { stdout, stderr, status } of [run, ...others]) {
    expect([0, 1]).toContain(status);
    holdsNoSecret('the output', stdout + stderr);
    expect(stdout + stderr).not.toMatch(/\/(origin|stored|link)\//);
  }

  const archive = await stand.openDirectly();
  for await (const key of archive.list('')) {
    const body = (await archive.read(key))?.toString('latin1') ?? '';
    holdsNoSecret(key, body);
    expect(body, key).not.toMatch(/\/(origin|stored|link)\/[0-9a-f]/);
  }
  await archive.close();

  const folder = join(redis.dir, 'appendonlydir');
  for (const file of await readdir(folder)) {
    const written = await readFile(join(folder, file), 'latin1');
    // The password itself was set by a command of this test.
    holdsNoSecret(file, written.replaceAll(SECRETS.redisPassword, ''));
  }
});

test('errors tell no secret, not with --debug either', async () => {
  const password = SECRETS.redisPassword;
  const failures = await Promise.all([
    cli(['status', '--debug'], { REDIS_URL: `redis://:${password}@127.0.0.1:1` }),
    cli(['status', '--debug'], { REDIS_URL: `redis://:${encodeURIComponent(password)}x@127.0.0.1:${redis.port}` }),
    cli(['run', stand.manifestFile, '--debug'], { FLUX_API_KEY: `${SECRETS.apiKey}-wrong` }),
    cli(['run', stand.manifestFile, '--debug'], { AWS_SECRET_ACCESS_KEY: `${s3Secret()}-wrong` }),
    cli(['run', stand.manifestFile, '--debug'], { FLUX_RATE_LIMIT: 'wrong' }),
  ]);
  for (const { status, stderr, stdout } of failures) {
    expect(status).toBeGreaterThan(1);
    holdsNoSecret('an error', stderr + stdout);
  }
});
