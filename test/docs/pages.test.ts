import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, inject, type TestContext, test } from 'vitest';
import { batchFileSchema } from '../../src/archive/batch-file.ts';
import { describeConfig } from '../../src/config.ts';
import { MAY_COME_FROM } from '../../src/items/item-state.ts';
import { FAILURE_CLASSES, recordSchema } from '../../src/items/record.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { startRedis } from '../services/redis.ts';
import { anchorsOf, type Block, blocksOf, linksOf, proseOf } from './markdown.ts';
import { openReader, PROJECT } from './reader.ts';

const README = 'README.md';
/** Blocks that no test can run, by page. One more has to be argued for here. */
const NOT_RUN: Readonly<Record<string, number>> = {
  [README]: 2,
  'docs/fleet.md': 5,
  'docs/inbox.md': 1,
  'docs/million.md': 1,
  'docs/money.md': 1,
};
const LONGEST_README = 150;

/** Their blocks are run. */
const PAGES = [README, ...markdownIn('docs')];
/** Of these only the links are checked. */
const OTHERS = markdownIn('.').filter((name) => name !== README);
const RUN = new Set(['sh', 'yaml', 'js']);
const REDIS = 'rediss://:password@redis.example.com:6379';

function markdownIn(folder: string): string[] {
  const names = readdirSync(join(PROJECT, folder), { recursive: folder !== '.', encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

const read = (page: string) => readFile(join(PROJECT, page), 'utf8');

/** What stands here for the reader's own servers and secrets. */
async function yours(text: string, { onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const { endpoint, accessKeyId, secretAccessKey } = inject('s3');
  const own: Record<string, string> = {
    's3://pictures': `s3://pages-${randomUUID()}`,
    'AWS_ACCESS_KEY_ID=…': `AWS_ACCESS_KEY_ID=${accessKeyId}`,
    'AWS_SECRET_ACCESS_KEY=…': `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    'https://s3.example.com': endpoint,
  };
  if (text.includes(REDIS)) {
    // Of its own: pages use the same names of batches.
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    own[REDIS] = redis.url;
  }
  return own;
}

function isRun({ language, marker }: Block): boolean {
  return RUN.has(language) && marker?.kind !== 'not-run';
}

/** Does what a page says from its first line to its last. */
async function follow(page: string, text: string, context: Pick<TestContext, 'onTestFinished'>): Promise<void> {
  const blocks = blocksOf(text);
  const reader = await openReader(context, { yours: await yours(text, context) });
  for (const block of blocks) await reader.follow(page, block);
  await reader.stop();
}

const TO_DO = PAGES.filter((page) => blocksOf(readFileSync(join(PROJECT, page), 'utf8')).some(isRun));

test.concurrent.for(TO_DO)('what %s tells to do works as written', async (page, context) => {
  await follow(page, await read(page), context);
});

test.concurrent.for([
  [
    'a command that does not exist',
    '```sh\nflux-batch pln jobs.example.yaml\n```',
    'bad.md:1: expected to exit with 0, got 2',
  ],
  [
    'an option that does not exist',
    '```sh\nflux-batch plan jobs.example.yaml --prices x\n```',
    "unknown option '--prices'",
  ],
  ['a file that the reader does not have', '```sh\ntrue\n```\n\n```sh\nflux-batch plan jobs.yaml\n```', 'bad.md:5:'],
  ['a manifest with a mistake', '```yaml\n- id: hero\n  promt: A lighthouse\n```', 'did you mean prompt?'],
  ['an exit code that is another', '<!-- exits 3: no -->\n```sh\ntrue\n```', 'expected to exit with 3, got 0'],
  ['a program that ends', '<!-- runs until stopped: hello -->\n```sh\ntrue\n```', 'ended before it said "hello"'],
  ['a secret that nothing stands for', '```sh\nexport SERVE_PASSWORD=…\n```', 'nothing stands here for the "…"'],
  ['a language that nobody runs', '```python\nprint()\n```\n\n```sh\ntrue\n```', 'no way to run python'],
] as const)('a page with %s fails', async ([, page, message], context) => {
  await expect(follow('bad.md', page, context)).rejects.toThrow(message);
});

test('no block goes unrun without a reason, and no more of them than before', async () => {
  const counts: Record<string, number> = {};
  for (const page of PAGES) {
    const unrun = blocksOf(await read(page)).filter(({ marker }) => marker?.kind === 'not-run');
    if (unrun.length > 0) counts[page] = unrun.length;
  }
  expect(counts).toEqual(NOT_RUN);
});

test('commands stand in blocks that are run, not in plain or indented ones', async () => {
  const COMMAND = /^(\$ )?(flux-batch|npm|npx|docker|kubectl) /m;
  for (const page of PAGES) {
    const text = await read(page);
    const plain = blocksOf(text).filter((block) => block.language === '' && COMMAND.test(block.text));
    const indented = proseOf(text).filter((line) => /^ {4,}/.test(line.text) && COMMAND.test(line.text.trim()));
    expect([...plain, ...indented].map(({ line }) => `${page}:${line}`)).toEqual([]);
  }
});

test('every link and picture of every page is there', async () => {
  const dead: string[] = [];
  for (const page of [...PAGES, ...OTHERS]) {
    for (const target of linksOf(await read(page))) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      const isThere = existsSync(join(PROJECT, file));
      const isWhole = isThere && (anchor === undefined || anchorsOf(await read(file)).includes(anchor));
      if (!isWhole) dead.push(`${page}: ${target}`);
    }
  }
  expect(dead).toEqual([]);
});

test('every source and test that a page names is there', async () => {
  const missing: string[] = [];
  for (const page of [...PAGES, ...OTHERS]) {
    for (const { text } of proseOf(await read(page))) {
      for (const [, path = ''] of text.matchAll(/`((?:src|test|workers|bin|deploy|examples)\/[\w./-]*)`/g)) {
        const names = [path, `${path}.ts`, `${path}.test.ts`];
        if (!names.some((name) => existsSync(join(PROJECT, name)))) missing.push(`${page}: ${path}`);
      }
    }
  }
  expect(missing).toEqual([]);
});

test('every page of docs is linked from README or from a page that is', async () => {
  const seen = new Set([README, ...OTHERS]);
  for (const page of seen) {
    for (const target of linksOf(await read(page))) {
      const file = normalize(join(dirname(page), target.split('#')[0] ?? ''));
      if (PAGES.includes(file)) seen.add(file);
    }
  }
  expect(PAGES.filter((page) => !seen.has(page))).toEqual([]);
});

test('docs/configuration.md has every variable with its default', async () => {
  const page = await read('docs/configuration.md');
  const defaults = describeConfig().filter(({ origin }) => origin === 'default');
  expect(defaults.length).toBeGreaterThan(20);
  for (const { name } of describeConfig()) expect(page).toContain(`| \`${name}\` |`);
  for (const { name, value } of defaults) {
    const cell = value === '(not set)' ? '' : ` \`${value}\``;
    expect(page).toContain(`| \`${name}\` |${cell} |`);
  }
});

test('docs/design.md has every field that is stored, every key of Redis and every move of an item', async () => {
  const page = await read('docs/design.md');
  const fields = [
    ...recordSchema.options.flatMap(({ shape }) => Object.keys(shape)),
    ...batchFileSchema.keyof().options,
  ];
  const keys = Object.values(keysOf('')).map((key) => (typeof key === 'string' ? key : key('', 'state')).split(':')[1]);
  const named = [...fields.map((field) => `\`${field}\``), ...keys.map((key) => `\`:${key}`)];
  expect(named.filter((name) => !page.includes(name))).toEqual([]);
  const rows = page.split('\n').map((line) => line.replace(' (another token)', ''));
  for (const [to, from] of Object.entries(MAY_COME_FROM)) {
    const all = to === 'archived' ? 'any other' : from.map((state) => `\`${state}\``).join(', ');
    // A claim may also take an item over from another claim; that is no move.
    const over = to === 'submitting' ? ', `submitting`' : '';
    expect(rows).toContain(`| \`${to}\` | ${all}${over} |`);
  }
});

test('docs/troubleshooting.md explains every class of failure', async () => {
  const page = await read('docs/troubleshooting.md');
  expect(FAILURE_CLASSES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test(`README has ${LONGEST_README} lines at most`, async () => {
  expect((await read(README)).trimEnd().split('\n').length).toBeLessThanOrEqual(LONGEST_README);
});
