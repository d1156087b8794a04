import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configFrom } from '../src/config.ts';

async function lanesFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-lanes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'lanes.yaml');
  await writeFile(file, text);
  return file;
}

test('without a file there is one lane for each vendor, the accounts that there always were', () => {
  const { lanes } = configFrom({ FLUX_API_KEY: 'one' });
  expect(lanes.map(({ name, apiKey, isFirst, isNamed }) => [name, apiKey, isFirst, isNamed])).toEqual([
    ['kie', 'one', true, false],
    ['bfl', undefined, true, false],
  ]);
});

test('a lane has the limits of the settings where its own are missing, and its key from a variable or from a file', async () => {
  const key = await lanesFile('from-a-file\n');
  const FLUX_LANES = await lanesFile(`
lanes:
  - { name: main, key: KIE_API_KEY, rate: 5/1s }
  - { name: second, key: SECOND_KEY, concurrency: 7, share: 0 }
`);
  const given = { FLUX_LANES, FLUX_API_KEY: 'one', SECOND_KEY_FILE: key, FLUX_RATE_LIMIT: '30/10s' };
  const { lanes, secrets } = configFrom(given);
  expect(lanes).toMatchObject([
    { name: 'main', apiKey: 'one', isFirst: true, rateLimit: { max: 5, windowMs: 1_000 }, maxTasks: 100, share: 1 },
    { name: 'second', apiKey: 'from-a-file', isFirst: false, rateLimit: { max: 30 }, maxTasks: 7, share: 0 },
    { name: 'bfl', isNamed: false },
  ]);
  expect(secrets).toContain('from-a-file');
  const [main, second, bfl] = lanes.map(({ limitNames }) => limitNames);
  expect(main).toEqual({
    rate: `rate of lane main in ${FLUX_LANES}`,
    polls: `polls of lane main in ${FLUX_LANES} (it has none: FLUX_POLL_LIMIT counts)`,
    tasks: `concurrency of lane main in ${FLUX_LANES} (it has none: FLUX_MAX_TASKS counts)`,
  });
  expect(second?.tasks).toBe(`concurrency of lane second in ${FLUX_LANES}`);
  expect(bfl).toEqual({ rate: 'BFL_RATE_LIMIT', polls: 'BFL_POLL_LIMIT', tasks: 'BFL_MAX_TASKS' });
});

test('the account of before ends what it has begun where the file does not name it', async () => {
  const FLUX_LANES = await lanesFile('lanes: [{ name: other, key: OTHER_KEY }]');
  const { lanes } = configFrom({ FLUX_LANES, FLUX_API_KEY: 'one', ...{ OTHER_KEY: 'two' } });
  expect(lanes.filter(({ vendor }) => vendor === 'kie')).toMatchObject([
    { name: 'other', share: 1, isFirst: false },
    { name: 'kie', share: 0, isFirst: true, apiKey: 'one' },
  ]);
});

test('all mistakes are told at once, each with its line; a key itself is never taken', async () => {
  const FLUX_LANES = await lanesFile(`
lanes:
  - { name: main, key: KIE_API_KEY }
  - { name: main, key: FLUX_API_KEY }
  - { name: third, key: sk-123, rate: fast, limit: 3 }
`);
  const told = () => configFrom({ FLUX_LANES });
  expect(told).toThrow(/lanes\.yaml:5: lanes\[2\]\.key: Expected the name of the variable/);
  expect(told).toThrow(/:5: lanes\[2\]\.rate: Expected a rate such as 20\/10s/);
  expect(told).toThrow(/limit/);
  const twice = await lanesFile('lanes:\n  - { name: a, key: KIE_API_KEY }\n  - { name: a, key: FLUX_API_KEY }\n');
  expect(() => configFrom({ FLUX_LANES: twice })).toThrow(/:3: lanes\[1\]\.name: a is there already/);
  expect(() => configFrom({ FLUX_LANES: twice })).toThrow(/:3: lanes\[1\]\.key: two lanes of one account/);
  expect(() => configFrom({ FLUX_LANES: '/nowhere.yaml' })).toThrow(/FLUX_LANES cannot be read/);
});

test('the example, and the file that docs/fleet.md shows, are right', async () => {
  const shown = /```yaml\n(lanes:\n[^`]*)```/.exec(await readFile('docs/fleet.md', 'utf8'))?.[1] ?? '';
  const keys = { KIE_API_KEY: 'one', KIE_API_KEY_2: 'two', BFL_API_KEY: 'three' };
  const namesIn = (file: string) => configFrom({ ...keys, FLUX_LANES: file }).lanes.filter(({ isNamed }) => isNamed);
  expect(namesIn('lanes.example.yaml').map(({ name, vendor, apiKey, share }) => [name, vendor, apiKey, share])).toEqual(
    [
      ['main', 'kie', 'one', 1],
      ['second', 'kie', 'two', 0.5],
      ['direct', 'bfl', 'three', 1],
    ],
  );
  expect(namesIn(await lanesFile(shown)).map(({ name }) => name)).toEqual(['main', 'second']);
});
