import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { blocksOf } from '../docs/markdown.ts';
import { TEST_PRICES, WITH_TEST_PRICES } from '../services/prices.ts';
import { startRedis } from '../services/redis.ts';
import { openConsumer, PROJECT, pack } from './consumer.ts';

let consumer: Awaited<ReturnType<typeof openConsumer>>;
beforeAll(async () => {
  consumer = await openConsumer();
});
afterAll(() => consumer?.remove());

const JOBS = `
version: 1
batch: lamps
defaults: { outputFormat: jpeg }
jobs:
  - id: lamp-{{ color }}
    prompt: A {{ color }} lamp
    matrix: { color: [red, cobalt, jade] }
  - { id: refused, prompt: A forbidden lamp }
`;

async function startProvider() {
  const simulator = await startSimulator({
    prices: TEST_PRICES,
    timeScale: 0.01,
    pictures: 'plain',
    imageSize: 64,
    imageBytes: 1_000,
  });
  onTestFinished(() => simulator.close());
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return {
    simulator,
    env: { FLUX_API_URL: simulator.url, FLUX_API_KEY: simulator.apiKey, REDIS_URL: redis.url, ...WITH_TEST_PRICES },
  };
}

test('the example of docs/library.md compiles strictly and runs as it stands, from the packed package', async () => {
  const example = exampleOf(await readFile(join(PROJECT, 'docs/library.md'), 'utf8'));
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(20);
  await consumer.write('example.ts', example);
  await consumer.write('jobs.yaml', JOBS);
  expect(await consumer.compile('example.ts')).toEqual({ code: 0, stdout: '', stderr: '' });

  const { env } = await startProvider();
  const { code, stdout, stderr } = await consumer.run(process.execPath, ['example.js'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trim().split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/^ended: 4 of 4, 24 credits$/));
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('ended')) + 1);
  expect(rows.map((line) => line.split(' ')[0])).toEqual(['lamp-cobalt', 'lamp-jade', 'lamp-red']);
  const images = await readdir(join(consumer.folder, 'pictures', 'lamps', 'images'));
  expect(rows.map((line) => line.split(' ')[1])).toEqual(images.map((name) => `lamps/images/${name}`));
});

test('what the types promise is what programs may write', async () => {
  await consumer.write('typed.ts', TYPED);
  expect((await consumer.compile('--noEmit', 'typed.ts')).stdout).toBe('');
});

const TYPED = `
import { FluxError, ManifestError, openFluxBatch, type FluxBatch, type Progress, type ResultRow } from 'flux-batch';
await using flux: FluxBatch = openFluxBatch({ FLUX_MAX_TASKS: 5, EMBED_METADATA: true }, { log: (line: string) => void line });
openFluxBatch(process.env);
// @ts-expect-error a name that does not exist
openFluxBatch({ FLUX_RATELIMIT: '1/1s' });
// @ts-expect-error a stage that does not exist
await flux.work(['upload']);
await using workers = await flux.work(['poll', 'archive']);
const drained: boolean = await workers.drain(1_000);
for await (const progress of flux.follow('spring', { signal: AbortSignal.timeout(1_000) })) {
  const { items, outlook }: Progress = progress;
  const archived: number = items.archived;
  if (outlook === 'ended') console.log(archived, drained);
  // @ts-expect-error an outlook that does not exist
  if (outlook === 'over') break;
}
const rows: ResultRow[] = [];
for await (const row of flux.results('spring', { where: ['state=failed', 'color!=red'] })) {
  const text: string | undefined = row.variables.color;
  const width: number | null = row.width;
  rows.push(row);
  console.log(text, width, row.state === 'held' ? row.failureClass : row.sha256);
}
export const codeOf = (error: unknown) => (error instanceof FluxError ? error.code : undefined);
export const linesOf = (error: ManifestError) => error.problems.map(({ line }) => line);
`;

test('the package holds what it must and nothing else', async () => {
  const { paths } = await pack();
  const within = (folder: string) => paths.filter((path) => path.startsWith(`${folder}/`)).sort();
  const folders = ['dist', 'docs', 'deploy'];
  const top = paths.filter((path) => !folders.some((folder) => path.startsWith(`${folder}/`)));
  expect(top.sort()).toEqual([
    '.env.example',
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'examples/animals.jsonl',
    'examples/benchmarks/geneval.yaml',
    'examples/benchmarks/partiprompts.yaml',
    'examples/benchmarks/t2i-compbench.yaml',
    'examples/edits.yaml',
    'examples/photos/bowl-03.jpg',
    'examples/photos/lamp-01.jpg',
    'examples/photos/vase-02.jpg',
    'examples/piazza.yaml',
    'examples/products.csv',
    'examples/prompts.txt',
    'jobs.example.yaml',
    'jobs.models.yaml',
    'lanes.example.yaml',
    'manifest.schema.json',
    'models.json',
    'package.json',
    'prices.json',
  ]);
  // Pages to read beside the program, and what runs it in other places. Pictures and decisions stay in the repository.
  const pages = (await readdir(join(PROJECT, 'docs'))).filter((name) => name.endsWith('.md'));
  expect(within('docs')).toEqual(pages.map((name) => `docs/${name}`).sort());
  expect(within('deploy')).toEqual((await filesIn('deploy', /\.\w+$/)).sort());
  const page = 'src/results/gallery/page';
  const parts = (await readdir(join(PROJECT, page))).filter((name) => name !== 'tsconfig.json');
  const sources = await Promise.all(['bin', 'src', 'workers'].map((folder) => filesIn(folder, /\.ts$/)));
  const modules = ['index.ts', ...sources.flat()].map((path) => `dist/${path.slice(0, -'.ts'.length)}`);
  const scripts = await filesIn('src/fleet/lua', /\.lua$/);
  const expected = [
    ...scripts.map((path) => `dist/${path}`),
    ...modules.flatMap((path) => [`${path}.d.ts`, `${path}.js`]),
    ...parts.map((name) => `dist/${page}/${name}`),
  ];
  expect(within('dist')).toEqual(expected.sort());
});

test('the packed command helps, and plans the example that comes with it', async () => {
  expect(await consumer.command('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('run') });
  const planned = await consumer.command('plan', join(consumer.installed, 'jobs.example.yaml'), '--json');
  expect(planned).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(planned.stdout)).toMatchObject({ batch: 'spring-catalog', items: 16 });
});

test('other paths into the package are closed', async () => {
  const inside = `import('flux-batch/dist/src/config.js').catch((error) => console.log(error.code))`;
  expect((await consumer.run(process.execPath, ['-e', inside])).stdout).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  const own = `import('flux-batch/package.json', { with: { type: 'json' } }).then((pkg) => console.log(pkg.default.name))`;
  expect((await consumer.run(process.execPath, ['-e', own])).stdout).toBe('flux-batch\n');
});

function exampleOf(page: string): string {
  return blocksOf(page).find(({ language }) => language === 'js')?.text ?? '';
}

async function filesIn(folder: string, ending: RegExp): Promise<string[]> {
  const entries = await readdir(join(PROJECT, folder), { recursive: true });
  return entries.filter((name) => ending.test(name)).map((name) => `${folder}/${name}`);
}
