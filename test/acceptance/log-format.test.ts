import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { until } from './cli.ts';
import { submitsSeen } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const lineSchema = z.looseObject({ level: z.int(), time: z.number(), pid: z.int(), msg: z.string() });
const linesOf = (stderr: string) => stderr.split('\n').filter((line) => line !== '');
const parsed = (stderr: string) => linesOf(stderr).map((line) => lineSchema.parse(JSON.parse(line)));

describe.concurrent('LOG_FORMAT', () => {
  test('json: every line of run, worker and serve is a JSON line, also what is said to a person', async (context) => {
    const place = await openPlace(context, { env: { LOG_FORMAT: 'json', LOG_LEVEL: 'info' } });
    const run = await place.run(['run', await place.manifest('logged', promptsFor(5))]);
    expect(run.code, run.stderr).toBe(0);
    const said = parsed(run.stderr).map(({ msg }) => msg);
    expect(said).toContain('submitted');
    expect(said.some((msg) => msg.startsWith('logged: 5 of 5 images archived'))).toBe(true);
    const progress = parsed(run.stderr).find(({ items }) => items !== undefined);
    expect(progress).toMatchObject({ batch: 'logged', items: { failed: 0 } });

    const serve = await stopped(place, 'serve', 'flux-batch serves');
    expect(parsed(serve).some(({ msg }) => msg.startsWith('flux-batch serves http'))).toBe(true);
    const worker = await stopped(place, 'worker', 'submit, poll, archive to');
    expect(parsed(worker).some(({ msg }) => msg.includes('recording what is in flight'))).toBe(true);
  });

  test('text: every line has time, level and message', async (context) => {
    const place = await openPlace(context, { env: { LOG_FORMAT: 'text', LOG_LEVEL: 'info' } });
    const { code, stderr } = await place.run(['run', await place.manifest('read', promptsFor(3))]);
    expect(code, stderr).toBe(0);
    for (const line of linesOf(stderr)) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (info |warn |error) \S/);
    expect(stderr).toMatch(/ info {2}submitted batch=read item=item-\d/);
  });

  test('json: mistakes are JSON lines too, in options, in the configuration and in the manifest', async (context) => {
    const place = await openPlace(context, { env: { LOG_FORMAT: 'json' } });
    await place.write('bad.yaml', 'version: 1\nbatch: bad\njbos: []\n');
    for (const args of [['run', '--bugdet', '1'], ['run', 'bad.yaml'], ['run']]) {
      const { code, stderr } = await place.run(args);
      expect(code).toBe(2);
      expect(parsed(stderr)).not.toEqual([]);
      expect(parsed(stderr).every(({ level }) => level === 50)).toBe(true);
    }
    const { stderr } = await place.run(['run', 'bad.yaml'], { FLUX_MAX_TASKS: 'many' });
    expect(parsed(stderr)[0]?.msg).toContain('The configuration is wrong');
    const wrong = await place.run(['run', 'bad.yaml'], { LOG_FORMAT: 'xml' });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('LOG_FORMAT') });
  });

  test('unset: logs are JSON lines and talk is text, as ever', async (context) => {
    const place = await openPlace(context);
    const worker = await stopped(place, 'worker', 'submit, poll, archive to');
    expect(worker).toMatch(/^worker \d+: submit, poll, archive to /m);
  });

  test('a fleet that is refused says so in one line, with what to do, however many submits were under way', async (context) => {
    const env = { LOG_FORMAT: 'json', UNKNOWN_LIMIT: '0' };
    const place = await openPlace(context, { env, simulator: { faults: [{ name: '455', share: 1 }] } });
    expect((await place.run(['enqueue', await place.manifest('stopped', promptsFor(40))])).code).toBe(0);
    const workers = [place.start(['worker']), place.start(['worker'])];
    const all = () => workers.flatMap((worker) => parsed(worker.stderr()));
    await until('many were refused', () => submitsSeen(place) > 3, {
      seen: () => workers.map((worker) => worker.stderr()).join('\n'),
    });
    for (const worker of workers) worker.kill('SIGTERM');
    await Promise.all(workers.map((worker) => worker.exit()));
    const stops = all().filter(({ msg }) => msg === 'submitting is stopped');
    expect(stops).toMatchObject([
      { refusal: 'maintenance', remedy: expect.stringMatching(/one is let through.*flux-batch gate open/) },
    ]);
  });

  test('a storm of 429 is one line with its count, not one for each', async (context) => {
    const env = { LOG_FORMAT: 'json' };
    const place = await openPlace(context, { env, simulator: { rate: { max: 2, windowMs: 1_000 } } });
    expect((await place.run(['enqueue', await place.manifest('storm', promptsFor(30))])).code).toBe(0);
    const worker = place.start(['worker']);
    // What holds work up is told as well, in words of its own.
    const told = () => parsed(worker.stderr()).filter(({ msg }) => msg === 'submits refused for their rate (429)');
    await until('the storm is told', () => told().length > 0, { seen: worker.stderr });
    expect(told()[0]).toMatchObject({ level: 40, count: expect.any(Number), remedy: expect.stringContaining('FLUX_') });
    worker.kill('SIGTERM');
    await worker.exit();
    const refused = told().reduce((sum, { count }) => sum + Number(count), 0);
    expect(refused).toBeGreaterThanOrEqual(told().length);
  });
});

test.concurrent('a worker logs what holds work up, with what to do, when that begins and when it is over', async (context) => {
  const place = await openPlace(context, { env: { LOG_FORMAT: 'json' } });
  expect((await place.run(['enqueue', await place.manifest('waits', promptsFor(3))])).code).toBe(0);
  expect((await place.run(['pause', 'waits'])).code).toBe(0);
  const worker = place.start(['worker']);
  const told = () => parsed(worker.stderr()).filter(({ kind }) => kind === 'paused');
  await until('the pause is told', () => told().length > 0, { seen: worker.stderr });
  expect(told()).toMatchObject([{ level: 40, batch: 'waits', remedy: expect.stringContaining('resume waits') }]);
  expect((await place.run(['resume', 'waits'])).code).toBe(0);
  await until('its end is told', () => told().length > 1, { seen: worker.stderr });
  expect(told()[1]).toMatchObject({ level: 30, msg: expect.stringMatching(/^over: waits is paused/) });
  worker.kill('SIGTERM');
  await worker.exit();
});

/** Starts it, stops it once it works, and returns all that it said. */
async function stopped(place: Place, command: string, words: string): Promise<string> {
  const cli = place.start(command === 'serve' ? ['serve', '--port', '0'] : [command]);
  await until(`${command} has started`, () => cli.stderr().includes(words), { seen: cli.stderr });
  cli.kill('SIGTERM');
  const { code, stderr } = await cli.exit();
  expect(code, stderr).toBe(0);
  return stderr;
}
