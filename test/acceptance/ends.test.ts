import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { clientOf } from '../services/redis-client.ts';
import { countBy, expectImagesAsRecorded, filesIn, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted, expectOneTaskEach, submitsSeen } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const ITEMS = 8;

/** Every request is under way for seconds, half of them before the provider has accepted it, half of them after. */
function openSlowPlace(context: TestContext): Promise<Place> {
  return openPlace(context, {
    pace: { max: 4, windowMs: 500 },
    simulator: { latencyMs: 2_500 },
    env: { FLUX_SUBMIT_TIMEOUT: '30s' },
  });
}

test.concurrent.for([['run'], ['worker']] as const)(
  'a terminal that closes between a request and its answer drains %s, also when the shell says so twice',
  async ([command], context) => {
    const place = await openSlowPlace(context);
    const manifest = await place.manifest('closed', promptsFor(ITEMS));
    if (command === 'worker') expect((await place.run(['enqueue', manifest])).code).toBe(0);
    const running = place.start(command === 'run' ? ['run', manifest] : ['worker']);
    await until('submits are under way', () => accepted(place) >= 1, { seen: running.stderr });
    running.kill('SIGHUP');
    await until('it drains', () => running.stderr().includes('SIGHUP: no new submits'), { seen: running.stderr });
    running.kill('SIGHUP');
    const stopped = await running.exit();

    expect(stopped.code, stopped.stderr).toBe(command === 'run' ? 3 : 0);
    const records = await recordsOf(place, 'closed');
    expect(countBy(records)).not.toHaveProperty('claimed');
    expect(records.filter((record) => 'taskId' in record)).toHaveLength(accepted(place));

    const { code, stderr } = await place.run(['run', manifest]);
    expect(code, stderr).toBe(0);
    expectOneTaskEach(place, ITEMS);
    await expectImagesAsRecorded(place, 'closed');
  },
);

/** A bug somewhere: an exception that nobody catches, on SIGUSR2. */
const BUG = `data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => { throw new Error('a bug') })")}`;

test.concurrent.for([['run'], ['worker']] as const)(
  'an exception that nobody catches ends %s only when the answers under way are recorded, and is told',
  async ([command], context) => {
    const place = await openSlowPlace(context);
    const manifest = await place.manifest('bug', promptsFor(ITEMS));
    if (command === 'worker') expect((await place.run(['enqueue', manifest])).code).toBe(0);
    const running = place.start(command === 'run' ? ['run', manifest] : ['worker'], {
      NODE_OPTIONS: `--import=${BUG}`,
    });
    await until('submits are under way', () => accepted(place) >= 1, { seen: running.stderr });
    running.kill('SIGUSR2');
    const { code, stderr } = await running.exit();
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('error: a bug');
    const records = await recordsOf(place, 'bug');
    expect(countBy(records)).not.toHaveProperty('claimed');
    expect(records.filter((record) => 'taskId' in record)).toHaveLength(accepted(place));
    expect(place.redis()).toBeUndefined();
  },
);

test.concurrent.for([
  ['closed pipe', 'silent'],
  ['closed pipe', 'info'],
  ['full disk', 'silent'],
] as const)(
  'a %s for its talk (LOG_LEVEL %s) leaves the work and its exit code as they are',
  async ([talkInto, level], context) => {
    const place = await openSlowPlace(context);
    const manifest = await place.manifest('mute', promptsFor(ITEMS));
    const { code, stdout } = await place.run(['run', manifest, '--json'], { LOG_LEVEL: level }, { talkInto });
    expect(JSON.parse(stdout)).toMatchObject({ ended: true, items: { archived: ITEMS } });
    expect(code).toBe(0);
    expectOneTaskEach(place, ITEMS);
    expect(place.redis()).toBeUndefined();
  },
);

test.concurrent('an account that is empty ends the run only when what was accepted has come, and with its index', async (context) => {
  const place = await openPlace(context, {
    simulator: { credits: 16, faults: [{ name: 'slow-answer', times: 2 }], slowAnswerMs: 2_000, medianMs: 1_000 },
  });
  const manifest = await place.manifest('dry', promptsFor(ITEMS));
  const { code, stdout, stderr } = await place.run(['run', manifest, '--json'], { FLUX_SUBMIT_TIMEOUT: '20s' });
  expect(code, stderr).toBe(3);
  expect(accepted(place)).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ ended: false, credits: 16, items: { archived: 2, submitting: 0 } });
  expect(countBy(await recordsOf(place, 'dry'))).toMatchObject({ archived: 2 });
  await expectIndexed(place, 'dry');
});

test.concurrent('a run that is stopped writes the index of what there is, and counts what came while it drained', async (context) => {
  const place = await openSlowPlace(context);
  const manifest = await place.manifest('stopped', promptsFor(ITEMS));
  const running = place.start(['run', manifest, '--json']);
  await until('submits are under way', () => accepted(place) >= 1, { seen: running.stderr });
  running.kill('SIGINT');
  const { code, stdout, stderr } = await running.exit();
  expect(code, stderr).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ ended: false, credits: 8 * accepted(place), submits: accepted(place) });
  await expectIndexed(place, 'stopped');
});

test.concurrent.for(['Redis answers with errors', 'Redis is gone and the run is stopped'] as const)(
  '%s: the run ends within its drain time, though submits are under way',
  async (what, context) => {
    const place = await openPlace(context, {
      pace: { max: 4, windowMs: 2_000 },
      simulator: { faults: [{ name: 'slow-answer', share: 1 }], slowAnswerMs: 600_000 },
      env: { FLUX_SUBMIT_TIMEOUT: '10m' },
    });
    const manifest = await place.manifest('broken', promptsFor(20));
    const running = place.start(['run', manifest, '--drain-timeout', '1s']);
    await until('submits are under way', () => submitsSeen(place) >= 2, { seen: running.stderr });
    const redis = place.redis();
    if (!redis) throw new Error('Expected a Redis to run here');
    if (what === 'Redis answers with errors') {
      const client = clientOf(redis.url);
      await client.set('{flux-batch}:batch:broken', 'no hash');
      client.disconnect();
    } else {
      process.kill(redis.pid, 'SIGKILL');
      running.kill('SIGINT');
    }
    const { code, stderr } = await running.exit();
    expect(code, stderr).toBe(3);
  },
);

test.concurrent.for([
  ['simulate --port 0', 'Ctrl-C stops it'],
  ['serve --port 0', 'flux-batch serves'],
  ['status --watch', 'T'],
] as const)('%s ends in order when its terminal closes', async ([command, begun], context) => {
  const place = await openPlace(context);
  const running = place.start(command.split(' '));
  const told = () => running.stdout() + running.stderr();
  await until('it has begun', () => told().includes(begun), { seen: told });
  running.kill('SIGHUP');
  const { code, stderr } = await running.exit();
  expect(code, stderr).toBe(0);
  expect(place.redis()).toBeUndefined();
});

test.concurrent('results --out stops in order when its terminal closes, and goes on', async (context) => {
  const place = await openPlace(context, { simulator: { imageBytes: 200_000 } });
  const manifest = await place.manifest('brought', promptsFor(20));
  expect((await place.run(['run', manifest])).code).toBe(0);
  const running = place.start(['results', 'brought', '--out', 'home']);
  await until('some are there', async () => (await filesIn(join(place.folder, 'home', 'images'))).length > 0);
  running.kill('SIGHUP');
  expect((await running.exit()).code, running.stderr()).toBe(3);
  expect((await place.run(['results', 'brought', '--out', 'home'])).code).toBe(0);
  expect(await filesIn(join(place.folder, 'home', 'images'))).toHaveLength(20);
});

/** The index has a row for each record. */
async function expectIndexed(place: Place, batch: string): Promise<void> {
  const folder = join(place.folder, 'archive', batch);
  expect(await filesIn(folder)).toContain('index.html');
  const rows = (await readFile(join(folder, 'results.jsonl'), 'utf8')).trim().split('\n');
  const states = rows.map((row) => JSON.parse(row).state).sort();
  expect(states).toEqual((await recordsOf(place, batch)).map(({ state }) => state).sort());
}
