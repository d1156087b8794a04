import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = fileURLToPath(new URL('../../.github/workflows/', import.meta.url));
const read = (name: string) => readFile(`${folder}${name}`, 'utf8');

const step = z.looseObject({ uses: z.string().optional(), run: z.string().optional() });
const workflow = z.looseObject({
  on: z.unknown(),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.looseObject({
      needs: z.union([z.string(), z.array(z.string())]).optional(),
      permissions: z.record(z.string(), z.string()).optional(),
      steps: z.array(step).default([]),
    }),
  ),
});

async function jobsOf(name: string) {
  return workflow.parse(parse(await read(name))).jobs;
}

const wordsOf = (job: { steps: z.infer<typeof step>[] } | undefined) =>
  job?.steps.map(({ run, uses }) => run ?? uses ?? '').join('\n') ?? '';

/** What GitHub's own parser has against a workflow. */
function faultsOf(name: string, content: string): string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

test("GitHub's parser has nothing against the workflows, and finds mistakes", async () => {
  const names = await readdir(folder);
  expect(names.sort()).toEqual(['ci.yml', 'release.yml']);
  for (const name of names) expect(faultsOf(name, await read(name))).toEqual([]);
  expect(faultsOf('bad.yml', (await read('ci.yml')).replace('runs-on', 'run-on'))).not.toEqual([]);
});

test('nothing is published before the addresses, the version and all tests are right', async () => {
  const { check, test: tests, package: packed, image, release } = await jobsOf('release.yml');
  expect(wordsOf(check)).toContain(
    'scripts/release.mjs check --repository "$GITHUB_REPOSITORY" --tag "$GITHUB_REF_NAME"',
  );
  expect([tests?.needs, packed?.needs, image?.needs, release?.needs]).toEqual([
    'check',
    'test',
    'test',
    ['package', 'image'],
  ]);
  const words = wordsOf(packed);
  const order = ['npm ci', 'npm run package', 'release.mjs readme', 'npm pack', 'npm publish'];
  expect(order.map((word) => words.indexOf(word))).toEqual(
    order.map((word) => words.indexOf(word)).sort((a, b) => a - b),
  );
  expect(order.filter((word) => !words.includes(word))).toEqual([]);
  expect(wordsOf((await jobsOf('ci.yml')).test)).toContain('bash .ci/run');
});

test('npm is published to as a trusted publisher: an identity of this run and no token', async () => {
  const { package: packed } = await jobsOf('release.yml');
  expect(packed?.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  expect(packed?.environment).toBe('npm');
  expect(wordsOf(packed)).toContain('--provenance');
  expect(await read('release.yml')).not.toMatch(/NPM_TOKEN|NODE_AUTH_TOKEN/);
});

test('each workflow may only read, and a job what it says besides', async () => {
  for (const name of await readdir(folder)) {
    expect(workflow.parse(parse(await read(name))).permissions).toEqual({ contents: 'read' });
  }
});
