import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import { z } from 'zod';
import { VERSION } from '../../src/version.ts';
import { linksOf } from '../docs/markdown.ts';

const execute = promisify(execFile);
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = join(PROJECT, 'scripts/release.mjs');
const NAME = 'somebody/flux-batch';

const packageSchema = z.looseObject({
  repository: z.unknown().optional(),
  homepage: z.unknown().optional(),
  bugs: z.unknown().optional(),
});
const ended = z.object({ code: z.number().default(0), stdout: z.string(), stderr: z.string() });

/** A copy of what a release looks at. */
async function openCopy({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-release-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  for (const path of ['package.json', 'package-lock.json', 'README.md', 'CHANGELOG.md', 'deploy']) {
    await cp(join(PROJECT, path), join(folder, path), { recursive: true });
  }
  const read = (path: string) => readFile(join(folder, path), 'utf8');
  // Whoever publishes this project has filled them in.
  const { repository, homepage, bugs, ...pkg } = packageSchema.parse(JSON.parse(await read('package.json')));
  await writeFile(join(folder, 'package.json'), JSON.stringify(pkg));
  return {
    read,
    change: async (path: string, from: string, to: string) =>
      writeFile(join(folder, path), (await read(path)).replaceAll(from, to)),
    run: async (...args: string[]) =>
      ended.parse(await execute(process.execPath, [SCRIPT, ...args], { cwd: folder }).catch((error: unknown) => error)),
    check: async function check(tag = `v${VERSION}`) {
      const { code, stderr } = await this.run('check', '--repository', NAME, '--tag', tag);
      return { code, faults: stderr.trim().split('\n') };
    },
  };
}

test('without addresses nothing is released, and the check says how the publisher fills them in', async (context) => {
  const copy = await openCopy(context);
  const { code, faults } = await copy.check();
  expect(code).toBe(1);
  expect(faults).toEqual(
    ['repository', 'homepage', 'bugs'].map(
      (field) => `package.json: ${field} is not that of ${NAME}: node scripts/release.mjs repository ${NAME}`,
    ),
  );
});

test('one command fills in the repository, and then the project can be released', async (context) => {
  const copy = await openCopy(context);
  const before = JSON.parse(await copy.read('package.json'));
  expect(await copy.run('repository', NAME)).toMatchObject({ code: 0 });
  expect(JSON.parse(await copy.read('package.json'))).toEqual({
    ...before,
    repository: { type: 'git', url: 'git+https://github.com/somebody/flux-batch.git' },
    homepage: 'https://github.com/somebody/flux-batch#readme',
    bugs: { url: 'https://github.com/somebody/flux-batch/issues' },
  });
  expect(await copy.check()).toEqual({ code: 0, faults: [''] });
  expect((await copy.run('repository', 'https://example.com/flux')).stderr).toContain(
    'Expected the repository as owner/name',
  );
});

test('what is of another version or another repository is told, all at once', async (context) => {
  const copy = await openCopy(context);
  await copy.run('repository', 'else/where');
  await copy.change('CHANGELOG.md', `## ${VERSION}`, '## 0.0.9');
  await copy.change('deploy/kubernetes/base/archive.yaml', `flux-batch:${VERSION}`, 'flux-batch:0.0.9');
  await copy.change('deploy/kubernetes/overlays/example/kustomization.yaml', `newTag: ${VERSION}`, 'newTag: 0.0.8');
  const { code, faults } = await copy.check('v9.9.9');
  expect(code).toBe(1);
  expect(faults.slice(3)).toEqual([
    `the tag is v9.9.9, package.json's version ${VERSION}`,
    `CHANGELOG.md: nothing under "## ${VERSION}"`,
    expect.stringMatching(/archive\.yaml: the image's tag is 0\.0\.9$/),
    expect.stringMatching(/kustomization\.yaml: the image's tag is 0\.0\.8$/),
  ]);
});

test("README's links and pictures have addresses of this very version when it is packed", async (context) => {
  const copy = await openCopy(context);
  expect((await copy.run('readme')).stderr).toContain('names no repository');
  await copy.run('repository', NAME);
  const before = linksOf(await copy.read('README.md'));
  expect((await copy.run('readme')).code).toBe(0);
  const page = await copy.read('README.md');
  expect(linksOf(page).filter((target) => !/^(https:|#)/.test(target))).toEqual([]);
  expect(linksOf(page)).toHaveLength(before.length);
  expect(page).toContain(`](https://raw.githubusercontent.com/${NAME}/v${VERSION}/docs/gallery.png)`);
  expect(page).toContain(`](https://github.com/${NAME}/blob/v${VERSION}/docs/money.md)`);
});

test('the notes of a release are what CHANGELOG has of its version', async (context) => {
  const copy = await openCopy(context);
  const { stdout } = await copy.run('notes');
  expect(await copy.read('CHANGELOG.md')).toContain(`${stdout.trim()}\n`);
  expect(stdout.length).toBeGreaterThan(200);
  expect(stdout).not.toMatch(/^## /m);
});
