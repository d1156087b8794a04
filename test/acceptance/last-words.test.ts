import { once } from 'node:events';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, type TestContext, test } from 'vitest';
import { z } from 'zod';
import { countBy, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { submitsSeen } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const FAULTS = [
  // The first of them hits the submit that is not answered.
  { name: 'flag-3', times: 2 },
  { name: 'reset-after-accept', times: 1 },
] as const;
const told = z.looseObject({ text: z.string() });

describe.concurrent('the end of a run', () => {
  test('says what to do next, in commands that do it', async (context) => {
    const place = await openPlace(context, { simulator: { faults: FAULTS } });
    const manifest = await place.manifest('autumn', [...promptsFor(6), 'A forbidden place']);
    const { code, stderr, stdout } = await place.run(['run', manifest, '--json']);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/^ {2}(open|xdg-open) archive\/autumn\/index\.html +the gallery$/m);
    const next = z.object({ next: z.array(z.string()) }).parse(JSON.parse(stdout)).next;
    expect(next.slice(1)).toEqual(['flux-batch held autumn', 'flux-batch retry autumn --class generation-failed']);
    for (const command of next.slice(1)) {
      expect(stderr).toMatch(new RegExp(`^ {2}${command} {2,}\\S`, 'm'));
      expect((await place.run(command.split(' ').slice(1))).code).toBe(0);
    }
    expect(countBy(await recordsOf(place, 'autumn'))).toEqual({ archived: 4, queued: 1, held: 1, failed: 1 });
  });

  test('names the archive in them where it was named', async (context) => {
    const place = await openPlace(context, { simulator: { faults: [{ name: 'flag-3', times: 1 }] } });
    const manifest = await place.manifest('elsewhere', promptsFor(1));
    const { stderr } = await place.run(['run', manifest, '--archive', './my pictures']);
    expect(stderr).toContain("flux-batch retry elsewhere --archive './my pictures'");
  });

  test('says what each job has cost, all runs together', async (context) => {
    const place = await openPlace(context);
    const jobs =
      '[{ id: hero, prompt: A lighthouse, variants: 3 }, { id: "pot-{{ c }}", prompt: "A {{ c }} pot", matrix: { c: [red, jade] } }]';
    await place.write('jobs.yaml', `version: 1\nbatch: jobs\ndefaults: { model: flux-kontext-max }\njobs: ${jobs}\n`);
    expect((await place.run(['run', 'jobs.yaml', '--limit', '1'])).code).toBe(0);
    const { stderr, stdout, code } = await place.run(['run', 'jobs.yaml', '--json']);
    expect(code, stderr).toBe(0);
    const each = place.simulator.ledger().credits.charged / 5;
    expect(JSON.parse(stdout)).toMatchObject({
      jobs: [
        { job: 'hero', items: 3, credits: 3 * each },
        { job: 'pot-{{ c }}', items: 2, credits: 2 * each },
      ],
    });
    expect(stderr).toMatch(new RegExp(`^ {2}hero +3 images +${3 * each} credits +\\$`, 'm'));
    expect(stderr).toMatch(new RegExp(`^ {2}pot-{{ c }} +2 images +${2 * each} credits +\\$`, 'm'));
  });

  test('is told where --notify says, once, whether it went well, failed or was stopped', async (context) => {
    const { url, bodies } = await receiver(context);
    const place = await openPlace(context, { env: { FLUX_NOTIFY_URL: `${url}/secret-channel` } });
    const good = await place.run(['run', await place.manifest('good', promptsFor(2))]);
    expect(good.code, good.stderr).toBe(0);
    const bad = await place.run(['run', await place.manifest('bad', ['A forbidden place'])]);
    expect(bad.code).toBe(1);
    const refused = await place.run(['run', await place.manifest('keyless', promptsFor(1))], { FLUX_API_KEY: 'wrong' });
    expect(refused.code).toBe(2);
    const stopped = place.start(['run', await place.manifest('long', promptsFor(40)), '--rate', '2/1s']);
    await until('it has begun', () => submitsSeen(place) > 4, { seen: stopped.stderr });
    stopped.kill('SIGINT');
    expect((await stopped.exit()).code).toBe(3);
    expect(bodies).toMatchObject([
      { batch: 'good', ended: true, exitCode: 0, items: { archived: 2 } },
      { batch: 'bad', ended: true, exitCode: 1, items: { failed: 1 } },
      { batch: 'keyless', ended: false, exitCode: 2 },
      { batch: 'long', ended: false, exitCode: 3 },
    ]);
    const texts = bodies.map((body) => told.parse(body).text);
    expect(texts[0]).toMatch(/^good: 2 of 2 images archived in /);
    expect(texts[2]).toMatch(/^keyless: stopped: .* refuses the key/);
    // The address of a webhook is a secret.
    const config = await place.run(['config']);
    for (const text of [good.stderr, stopped.stderr(), config.stdout]) expect(text).not.toContain('secret-channel');
  });

  test('that cannot be told anywhere is a warning, and fails nothing', async (context) => {
    const { url, close } = await receiver(context);
    close();
    const place = await openPlace(context);
    const { code, stderr } = await place.run(['run', await place.manifest('mute', promptsFor(1)), '--notify', url]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^warning: the end was not told at FLUX_NOTIFY_URL: .*ECONNREFUSED/m);
    const open = await place.run(['run', 'mute.yaml', '--notify', 'http://example.org/hook']);
    expect(open).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected https, or http to this machine') });
  });

  test('opens the gallery where that is asked for', async (context) => {
    const place = await openPlace(context);
    await mkdir(join(place.folder, 'bin'));
    await place.write('bin/xdg-open', `#!/bin/sh\necho "$1" > "${place.folder}/shown.txt"\n`);
    await chmod(join(place.folder, 'bin/xdg-open'), 0o755);
    const env = { PATH: `${join(place.folder, 'bin')}${delimiter}${place.env.PATH}` };
    const { code, stderr } = await place.run(['run', await place.manifest('shown', promptsFor(1)), '--open'], env);
    expect(code, stderr).toBe(0);
    await until('it is opened', async () =>
      (await textOf(place, 'shown.txt')).trim().endsWith('/archive/shown/index.html'),
    );
  });

  test('is all that is said with --quiet', async (context) => {
    const place = await openPlace(context);
    const { code, stderr } = await place.run(['run', await place.manifest('silent', promptsFor(3)), '--quiet', '-y']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^silent: 3 items to .*\n\nsilent: 3 of 3 images archived/);
  });
});

test.concurrent('commands that people guess are answered with those that do it', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('guessed', promptsFor(2));
  for (const [args, words] of [
    [['run', manifest, '--dry-run'], `flux-batch plan ${manifest}`],
    [['enqueue', manifest, '--dry-run'], `flux-batch plan ${manifest}`],
    [['validate', manifest], 'flux-batch plan'],
    [['list'], 'flux-batch status'],
    [['logs', 'guessed'], 'flux-batch results <batch> --where state=failed'],
    [['credits'], 'flux-batch doctor'],
    [['help', 'credits'], 'flux-batch doctor'],
  ] as const) {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
  }
  expect(submitsSeen(place)).toBe(0);
  expect((await place.run(['enqueue', manifest, '-y'], { CONFIRM_CREDITS: '1' })).code).toBe(0);
});

async function textOf(place: Place, name: string): Promise<string> {
  return readFile(join(place.folder, name), 'utf8').catch(() => '');
}

/** Takes what is posted to it. */
async function receiver({
  onTestFinished,
}: Pick<TestContext, 'onTestFinished'>): Promise<{ url: string; bodies: unknown[]; close: () => void }> {
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await json(request));
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return { url: `http://127.0.0.1:${address.port}`, bodies, close };
}
