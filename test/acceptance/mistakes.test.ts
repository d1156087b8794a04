import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordsOf } from './archived.ts';
import type { Exit } from './cli.ts';
import { expectOneTaskEach, submitsSeen } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

/** A port on which nothing listens: it is reserved. */
const NOBODY = '127.0.0.1:1';

type Mistake = { what: string; args: string[]; env?: Record<string, string>; code: number; says: RegExp };

const MISTAKES: Mistake[] = [
  { what: 'a wrong key', args: ['run', 'good.yaml'], env: { FLUX_API_KEY: 'wrong' }, code: 2, says: /refuses the key/ },
  { what: 'no key', args: ['run', 'good.yaml'], env: { FLUX_API_KEY: '' }, code: 2, says: /FLUX_API_KEY is not set/ },
  {
    what: 'a provider that is not there',
    args: ['run', 'good.yaml'],
    env: { FLUX_API_URL: `http://${NOBODY}` },
    code: 3,
    says: /The API at http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
  },
  {
    what: 'a Redis that is not there',
    args: ['run', 'good.yaml'],
    env: { REDIS_URL: `redis://:secret@${NOBODY}` },
    code: 3,
    says: /Redis does not answer at redis:\/\/\*\*\*@127\.0\.0\.1:1/,
  },
  {
    what: 'no redis-server',
    args: ['run', 'good.yaml'],
    env: { PATH: '.' },
    code: 2,
    says: /apt install redis-server/,
  },
  {
    what: 'an S3 server that is not there',
    args: ['run', 'good.yaml'],
    env: {
      ARCHIVE_URL: 's3://pictures',
      S3_ENDPOINT: `http://${NOBODY}`,
      AWS_ACCESS_KEY_ID: 'some',
      AWS_SECRET_ACCESS_KEY: 'secret',
    },
    code: 3,
    says: /Cannot write to the bucket pictures/,
  },
  {
    what: 'an archive that is no folder',
    args: ['run', 'good.yaml', '--archive', 'good.yaml/archive'],
    code: 2,
    says: /Cannot write to the archive folder .*: a part of the path is a file/,
  },
  { what: 'an archive without a bucket', args: ['run', 'good.yaml', '--archive', 's3://'], code: 2, says: /bucket/ },
  { what: 'a manifest that is not there', args: ['run', 'none.yaml'], code: 2, says: /none\.yaml {2}there is no such/ },
  { what: 'a folder for a manifest', args: ['plan', 'folder'], code: 2, says: /folder {2}is not a regular file/ },
  { what: 'a manifest that is not text', args: ['run', 'binary.yaml'], code: 2, says: /binary\.yaml.* UTF-8/ },
  {
    what: 'a broken manifest, with all that is wrong in it',
    args: ['enqueue', 'broken.yaml'],
    code: 2,
    says: /broken\.yaml:4:\d+ .*promt(.|\n)*broken\.yaml:5:\d+ .*gif/,
  },
  { what: 'a manifest without items', args: ['run', 'empty.yaml'], code: 2, says: /rows/ },
  { what: 'an unknown flag', args: ['run', 'good.yaml', '--fast'], code: 2, says: /unknown option '--fast'/ },
  { what: 'an unknown command', args: ['runn', 'good.yaml'], code: 2, says: /unknown command 'runn'\n.*mean run/ },
  { what: 'a missing argument', args: ['run'], code: 2, says: /missing required argument 'manifest'/ },
  { what: 'an unknown stage', args: ['worker', 'paint'], code: 2, says: /Allowed choices are submit, poll, archive/ },
  { what: 'a wrong rate', args: ['run', 'good.yaml', '--rate', 'fast'], code: 2, says: /FLUX_RATE_LIMIT: Expected/ },
  { what: 'a wrong setting', args: ['run', 'good.yaml'], env: { ON_UNKNOWN: 'pray' }, code: 2, says: /ON_UNKNOWN: / },
  { what: 'no name of a batch', args: ['results', ''], code: 2, says: /Expected the name of a batch/ },
  { what: 'a path for a batch', args: ['redo', '../good', 'a'], code: 2, says: /Expected the name of a batch/ },
  {
    what: 'prices that are not there',
    args: ['plan', 'good.yaml'],
    env: { FLUX_PRICES: 'none.json' },
    code: 2,
    says: /prices in none\.json \(FLUX_PRICES\): there is no such file\n.*unset it/,
  },
  {
    what: 'models that are no JSON',
    args: ['plan', 'good.yaml'],
    env: { FLUX_MODELS: 'empty.yaml' },
    code: 2,
    says: /models in empty\.yaml \(FLUX_MODELS\): it is no JSON: .*\n.*unset it/,
  },
  { what: 'a batch that is nowhere', args: ['results', 'nowhere'], code: 2, says: /No batch named nowhere/ },
  { what: 'a batch that Redis does not know', args: ['status', 'nowhere'], code: 2, says: /No batch named nowhere/ },
];

test.concurrent.for(MISTAKES)('$what is one clear message and exit code $code', async (mistake, context) => {
  const place = await openPlace(context);
  await place.manifest('good', promptsFor(2));
  await place.write(
    'broken.yaml',
    'version: 1\nbatch: broken\njobs:\n  - { id: a, prompt: x, promt: y }\n  - { id: b, prompt: x, outputFormat: gif }\n',
  );
  await place.write(
    'empty.yaml',
    'version: 1\nbatch: empty\njobs:\n  - { id: "{{ n }}", prompt: x, rows: empty.csv }\n',
  );
  await place.write('empty.csv', 'n\n');
  await writeFile(join(place.folder, 'binary.yaml'), Buffer.from([0x61, 0x3a, 0xff, 0xfe]));
  await mkdir(join(place.folder, 'folder'));

  const exit = await place.run(mistake.args, mistake.env);
  expect(exit.code, exit.stderr).toBe(mistake.code);
  expectOneMessage(exit);
  expect(exit.stderr).toMatch(mistake.says);
  expect(exit.stderr).not.toContain('secret');
  expect(submitsSeen(place)).toBe(0);
  expect(place.redis()).toBeUndefined();
});

test.concurrent('a provider that never answers is told, and not waited for without end', async (context) => {
  const place = await openPlace(context);
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  context.onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as AddressInfo;
  const exit = await place.run(['run', await place.manifest('silent', promptsFor(2))], {
    FLUX_API_URL: `http://127.0.0.1:${port}`,
  });
  expect(exit.code, exit.stderr).toBe(3);
  expectOneMessage(exit);
  expect(exit.stderr).toContain('does not answer');
});

test.concurrent('--debug shows where an error came from', async (context) => {
  const place = await openPlace(context);
  const exit = await place.run(['run', await place.manifest('good', promptsFor(2)), '--debug'], {
    FLUX_API_KEY: 'wrong',
  });
  expect(exit.code).toBe(2);
  expect(exit.stderr).toMatch(/^ +at /m);
});

test.concurrent('taking a batch to another archive while it is under way is refused, and spends nothing', async (context) => {
  const place = await openPlace(context, { pace: { max: 5, windowMs: 1_000 }, simulator: { medianMs: 1_000 } });
  const manifest = await place.manifest('moved', promptsFor(12));
  const worker = place.start(['worker', 'submit', 'poll']);
  expect((await place.run(['enqueue', manifest])).code).toBe(0);

  for (const command of ['run', 'enqueue']) {
    const exit = await place.run([command, manifest, '--archive', 'elsewhere']);
    expect(exit.code, exit.stderr).toBe(2);
    expectOneMessage(exit);
    expect(exit.stderr).toMatch(/The batch moved is on its way to .*\/archive, not to .*\/elsewhere/);
  }
  expect(await recordsOf(place, 'moved', 'elsewhere')).toEqual([]);
  worker.kill('SIGTERM');
  await worker.exit();
  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  expectOneTaskEach(place, 12);
});

/** On stderr, from its first line on, without a stack trace and without talk around it. */
function expectOneMessage({ stdout, stderr }: Exit): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: /);
  expect(stderr.match(/^(error|warning): /gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^ +at .*:\d+/m);
}
