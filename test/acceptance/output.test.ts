import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { recordsOf } from './archived.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const PROMPTS = [...promptsFor(3), 'A forbidden place, "quoted", with a comma'];
const COMMANDS = [
  'run',
  'plan',
  'enqueue',
  'worker',
  'serve',
  'status',
  'results',
  'pause',
  'resume',
  'cancel',
  'retry',
  'held',
  'rescue',
  'gate',
  'config',
  'simulate',
];

test.concurrent('run --json puts one document on stdout and all talk on stderr, without colour or bars', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('told', PROMPTS);
  const { code, stdout, stderr } = await place.run(['run', manifest, '--json']);

  expect(code, stderr).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    batch: 'told',
    ended: true,
    archive: join(place.folder, 'archive'),
    items: { archived: 3, failed: 1, queued: 0 },
    total: 4,
    submits: 3,
    credits: 24,
    failures: [{ name: 'item-4', state: 'failed', class: 'content-policy' }],
  });
  for (const mark of ['\u001b', '\r', '█', '░']) expect(stdout + stderr).not.toContain(mark);
  expect(stderr).toContain('told: 3 of 4 images archived');
  // Redis has stopped with the command; status starts it again on its data.
  const status = await place.run(['status', 'told', '--json']);
  expect(status.stderr).toBe('');
  expect(JSON.parse(status.stdout)).toMatchObject({
    batches: [{ batch: 'told', sealed: true, total: 4, items: { archived: 3, failed: 1 } }],
    queues: { submit: { waiting: 0, active: 0, delayed: 0 } },
    gate: null,
  });
  expect((await place.run(['status'])).stdout).toMatch(/^told +4 +3 +1 +0 +0 +24$/m);
});

test.concurrent('results come from the archive alone, in each format, with Redis gone', async (context) => {
  const place = await openPlace(context);
  await place.run(['run', await place.manifest('listed', PROMPTS)]);
  await rm(join(place.folder, '.flux-batch'), { recursive: true });
  const gone = { REDIS_URL: 'redis://127.0.0.1:1', FLUX_API_KEY: '', FLUX_API_URL: 'http://127.0.0.1:1' };
  const list = async (format: string) => {
    const { code, stdout, stderr } = await place.run(['results', 'listed', '--format', format], gone);
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };

  const json = JSON.parse(await list('json'));
  const records = await recordsOf(place, 'listed');
  expect(json.map(({ id }: { id: string }) => id).sort()).toEqual(records.map(({ id }) => id).sort());
  const jsonl = (await list('jsonl')).trimEnd().split('\n');
  expect(jsonl.map((line) => JSON.parse(line))).toEqual(json);
  const csv: Record<string, string>[] = parse(await list('csv'), { columns: true });
  expect(csv.map((row) => [row.id, row.prompt, row.state, row.sha256])).toEqual(
    json.map((row: Record<string, string | null>) => [row.id, row.prompt, row.state, row.sha256 ?? '']),
  );
});

test.concurrent.for(['results long', 'plan long.yaml', 'status'])(
  '%s into a reader that has seen enough ends quietly',
  async (command, context) => {
    const place = await openPlace(context);
    await place.manifest('long', promptsFor(3));
    await writeRecords(place, 'long', 500);
    const { code, stderr } = await place.run(command.split(' '), {}, { dataInto: 'closed pipe' });
    expect([code, stderr]).toEqual([0, '']);
    expect(place.redis()).toBeUndefined();
  },
);

test.concurrent.for(['results long', 'plan long.yaml', 'status --json'])(
  '%s onto a full disk says so, and is no success',
  async (command, context) => {
    const place = await openPlace(context);
    await place.manifest('long', promptsFor(3));
    await writeRecords(place, 'long', 500);
    const { code, stderr } = await place.run(command.split(' '), {}, { dataInto: 'full disk' });
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^error: .*ENOSPC/)]);
    expect(place.redis()).toBeUndefined();
  },
);

test.concurrent('plan needs no Redis, no key and no provider, and spends nothing', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('planned', PROMPTS);
  const nothing = {
    FLUX_API_KEY: '',
    FLUX_API_URL: '',
    REDIS_URL: 'redis://127.0.0.1:1',
    PATH: '.',
    ARCHIVE_URL: '/nowhere',
  };
  const told = await place.run(['plan', manifest], nothing);
  expect([told.code, told.stderr]).toEqual([0, '']);
  expect(told.stdout).toMatch(/^planned: 4 items from 4 jobs$/m);
  const { stdout } = await place.run(['plan', manifest, '--json'], nothing);
  expect(JSON.parse(stdout)).toMatchObject({
    batch: 'planned',
    items: 4,
    credits: 32,
    byModel: { 'flux-kontext-pro': 4 },
  });
  const { submits, polls } = place.simulator.ledger();
  expect([submits.seen, polls]).toEqual([0, 0]);
});

test.concurrent('config says what is in force and where it is from, and shows no secret', async (context) => {
  const place = await openPlace(context);
  await place.write('.env', 'FLUX_MAX_TASKS=7\nFLUX_WEBHOOK_KEY=webhook-secret-of-mine\n');
  const env = {
    FLUX_API_KEY: 'key-that-nobody-may-see',
    REDIS_URL: 'redis://me:password@queue:6379',
    FLUX_MAX_TASKS: '',
  };
  const json = await place.run(['config', '--json', '--rate', '3/1s'], env);
  expect([json.code, json.stderr]).toEqual([0, '']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    FLUX_RATE_LIMIT: { value: '3/1s', origin: 'flag' },
    FLUX_POLL_LIMIT: { origin: 'environment' },
    ON_UNKNOWN: { value: 'hold', origin: 'default' },
  });
  const text = await place.run(['config'], env);
  for (const { stdout } of [json, text]) {
    for (const secret of ['nobody-may', 'secret-of', 'password']) expect(stdout).not.toContain(secret);
  }
});

test.concurrent.for(COMMANDS)('%s --help shows examples', async (command, context) => {
  const place = await openPlace(context);
  const { code, stdout, stderr } = await place.run([command, '--help']);
  expect([code, stderr]).toEqual([0, '']);
  // Commander shows an alias behind the name.
  const usage = command === 'gate' ? 'gate[|]breaker' : command;
  expect(stdout).toMatch(new RegExp(`^Usage: flux-batch ${usage} `));
  expect(stdout).toMatch(new RegExp(`^Examples:\\n( +.*\\n)* +\\$ .*flux-batch ${command}`, 'm'));
});

/** A batch as an archive has it, with more records than a pipe holds. */
async function writeRecords(place: Place, batch: string, count: number): Promise<void> {
  const items = join(place.folder, 'archive', batch, 'items');
  await mkdir(items, { recursive: true });
  const settings = { apiUrl: 'http://127.0.0.1:1', rateLimit: '20/10s', onUnknown: 'hold' };
  const created = new Date(0).toISOString();
  const file = { version: 1, batch, manifestDigest: '0'.repeat(64), created, settings };
  await writeFile(join(place.folder, 'archive', batch, 'batch.json'), JSON.stringify(file));
  for (let index = 0; index < count; index += 1) {
    const id = `item-${String(index).padStart(12, '0')}`;
    const request = { prompt: 'A lighthouse', model: 'flux-kontext-pro', outputFormat: 'jpeg' };
    const fields = { version: 1, id, name: 'item', batch, variant: 1, priority: 0, variables: {}, request };
    const record = { ...fields, state: 'queued', attempts: 0, earlierTaskIds: [], timings: { queued: created } };
    await writeFile(join(items, `${id}.json`), JSON.stringify(record));
  }
}
