import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configFrom, describeConfig, loadConfig } from '../src/config.ts';
import { UsageError } from '../src/errors.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'flux-config-'));
  vi.spyOn(process, 'cwd').mockReturnValue(home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('without anything set the documented limits hold', () => {
  const config = loadConfig();
  expect(config).toMatchObject({
    apiUrl: 'https://api.kie.ai',
    rateLimit: { max: 20, windowMs: 10_000 },
    pollLimit: { max: 10, windowMs: 1_000 },
    maxTasks: 100,
    archiveUrl: './archive',
    onUnknown: 'hold',
    generationRetries: 0,
    redisUrl: undefined,
  });
});

test('a flag wins over the environment', () => {
  vi.stubEnv('FLUX_RATE_LIMIT', '5/1s');
  expect(loadConfig().rateLimit).toEqual({ max: 5, windowMs: 1_000 });
  expect(loadConfig({ FLUX_RATE_LIMIT: '7/1s' }).rateLimit).toEqual({ max: 7, windowMs: 1_000 });
});

test('an empty variable counts as unset', () => {
  vi.stubEnv('REDIS_URL', '');
  vi.stubEnv('FLUX_MAX_TASKS', '');
  expect(loadConfig()).toMatchObject({ redisUrl: undefined, maxTasks: 100 });
});

test('every wrong variable is named in one error', () => {
  vi.stubEnv('FLUX_RATE_LIMIT', 'fast');
  vi.stubEnv('ON_UNKNOWN', 'guess');
  vi.stubEnv('REDIS_URL', 'http://here');
  const attempt = () => loadConfig();
  expect(attempt).toThrow(UsageError);
  expect(attempt).toThrow(/FLUX_RATE_LIMIT: Expected a rate such as 20\/10s, got "fast"/);
  expect(attempt).toThrow(/ON_UNKNOWN: /);
  expect(attempt).toThrow(/REDIS_URL: it begins with none of .*Expected redis:/);
});

test('what is printed shows where a value is from and neither keys nor passwords', async () => {
  vi.stubEnv('FLUX_API_KEY', 'sk-planted-secret-key');
  vi.stubEnv('REDIS_URL', 'redis://user:planted-password@host:6379');
  const lines = describeConfig({ ON_UNKNOWN: 'resubmit' });
  const of = (name: string) => lines.find((line) => line.name === name);
  expect(JSON.stringify(lines)).not.toMatch(/planted/);
  expect(of('FLUX_API_KEY')).toMatchObject({ value: 'sk…ey (21 characters)', origin: 'environment' });
  expect(of('REDIS_URL')).toMatchObject({ value: 'redis://***@host:6379' });
  expect(of('ON_UNKNOWN')).toMatchObject({ value: 'resubmit', origin: 'flag' });
  expect(of('FLUX_MAX_TASKS')).toMatchObject({ value: '100', origin: 'default' });
});

test('.env beside the command is read, below the environment', async () => {
  await writeFile(join(home, '.env'), 'FLUX_MAX_TASKS=7\nFLUX_POLL_LIMIT=3/1s\n');
  vi.stubEnv('FLUX_MAX_TASKS', '9');
  expect(loadConfig()).toMatchObject({ maxTasks: 9, pollLimit: { max: 3, windowMs: 1_000 } });
});

test('a short secret is not shown, not even its first letters', () => {
  vi.stubEnv('SERVE_PASSWORD', 'abc');
  expect(describeConfig().find(({ name }) => name === 'SERVE_PASSWORD')?.value).toBe('… (set)');
});

test.each(['*', '*.example.org', 'https://a.example', 'a b'])(
  'FETCH_ALLOW=%s is a mistake: it would let nothing through',
  (hosts) => {
    expect(() => loadConfig({ FETCH_ALLOW: hosts })).toThrow(/FETCH_ALLOW: Expected hosts/);
  },
);

test.each(['localhost', 'a.example:8080', '10.0.0.7', '[::1]:8080', 'fd00::7', 'bücher.example,b.example'])(
  'FETCH_ALLOW=%s is hosts',
  (hosts) => {
    expect(loadConfig({ FETCH_ALLOW: hosts }).fetchAllow).toEqual(hosts.split(','));
  },
);

test('what others can read on its way is warned of', () => {
  expect(loadConfig().warnings).toEqual([]);
  expect(loadConfig({ FLUX_API_URL: 'http://127.0.0.1:4010', S3_ENDPOINT: 'http://s3:8333' }).warnings).toEqual([]);
  expect(loadConfig({ FLUX_API_URL: 'http://api.example.org' }).warnings).toEqual([
    expect.stringMatching('FLUX_API_URL is plain http'),
  ]);
  expect(loadConfig({ REDIS_URL: 'redis://:word@redis' }).warnings).toEqual([expect.stringMatching('--redis')]);
  vi.stubEnv('REDIS_URL', 'redis://:word@redis');
  expect(loadConfig().warnings).toEqual([]);
});

test('a proxy is taken in either case and without its scheme, and its password is shown nowhere', () => {
  vi.stubEnv('https_proxy', 'user:planted-password@proxy.example:3128');
  vi.stubEnv('HTTP_PROXY', 'http://plain.example:3128');
  vi.stubEnv('no_proxy', 'localhost, .example.org 10.0.0.0/8');
  const { proxy, secrets } = loadConfig();
  expect(proxy).toEqual({
    https: 'http://user:planted-password@proxy.example:3128',
    http: 'http://plain.example:3128',
    no: ['localhost', '.example.org', '10.0.0.0/8'],
  });
  expect(secrets).toContain('planted-password');
  expect(JSON.stringify(describeConfig())).not.toContain('planted');
  expect(configFrom({ ...process.env }).proxy).toEqual(proxy);
  expect(configFrom({}).proxy).toEqual({ https: undefined, http: undefined, no: [] });
});

test('nothing said of the path style is not the same as false', () => {
  expect(loadConfig().s3.forcePathStyle).toBeUndefined();
  vi.stubEnv('S3_FORCE_PATH_STYLE', 'false');
  expect(loadConfig().s3.forcePathStyle).toBe(false);
});

test('options of objects that cannot work are named', () => {
  vi.stubEnv('S3_SSE_KMS_KEY_ID', 'alias/pictures');
  expect(() => loadConfig()).toThrow(/S3_SSE_KMS_KEY_ID: Expected S3_SSE=aws:kms/);
  vi.stubEnv('S3_SSE', 'aws:kms');
  expect(loadConfig().s3.objects).toMatchObject({ encryption: 'aws:kms', kmsKeyId: 'alias/pictures' });
  vi.stubEnv('S3_STORAGE_CLASS', 'GLACIER');
  vi.stubEnv('HTTPS_PROXY', 'socks5://proxy.example:1080');
  expect(() => loadConfig()).toThrow(/S3_STORAGE_CLASS: .*read at once/);
  expect(() => loadConfig()).toThrow(/HTTPS_PROXY: Expected http:/);
});

test('a secret may stand in a file that is named by the variable with _FILE, or by --redis @file', async () => {
  const file = join(home, 'redis-url');
  await writeFile(file, 'redis://:planted-word@queue:6379\nsecond line\n');
  vi.stubEnv('REDIS_URL_FILE', file);
  vi.stubEnv('FLUX_API_KEY_FILE', join(home, 'key'));
  await writeFile(join(home, 'key'), 'sk-planted\n');
  const config = loadConfig();
  expect(config).toMatchObject({ redisUrl: 'redis://:planted-word@queue:6379', apiKey: 'sk-planted', warnings: [] });
  expect(config.secrets).toEqual(expect.arrayContaining(['planted-word', 'sk-planted']));
  vi.stubEnv('REDIS_URL', 'redis://other');
  expect(loadConfig().redisUrl).toBe('redis://other');
  expect(loadConfig({ REDIS_URL: `@${file}` })).toMatchObject({ redisUrl: config.redisUrl, warnings: [] });
  const [line] = describeConfig({ REDIS_URL: `@${file}` }).filter(({ name }) => name === 'REDIS_URL');
  expect(line).toEqual({ name: 'REDIS_URL', value: 'redis://***@queue:6379', origin: 'flag' });
});

test('a file for a secret that is missing or empty is a mistake, by its name', async () => {
  vi.stubEnv('SERVE_PASSWORD_FILE', join(home, 'none'));
  expect(() => loadConfig()).toThrow(/SERVE_PASSWORD_FILE cannot be read: ENOENT/);
  vi.stubEnv('SERVE_PASSWORD_FILE', '');
  await writeFile(join(home, 'empty'), '\n');
  expect(() => loadConfig({ REDIS_URL: `@${join(home, 'empty')}` })).toThrow(/--redis names an empty file/);
});
