import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openManifest } from '../../src/manifest/manifest.ts';
import { ManifestError } from '../../src/manifest/problems.ts';
import { written } from './written.ts';

const SECRET = 'sk-verysecret';
const head = 'version: 1\nbatch: b\n';

/** A manifest in a folder, and files outside of it. */
async function mistakes(manifest: string, { allowOutside = false, links = {} as Record<string, string> } = {}) {
  const outer = await written({
    'rows.csv': `sku,product\n1,${SECRET}\n`,
    'other.yaml': `version: 1\njobs: [{ id: a, prompt: ${SECRET} }]\n`,
    'prompts.txt': `${SECRET}\n`,
  });
  const folder = join(outer, 'inner');
  await mkdir(folder);
  for (const [from, to] of Object.entries(links)) await symlink(to, join(folder, from));
  await writeFile(join(folder, '.env'), `FLUX_API_KEY=${SECRET}\n`);
  await writeFile(join(folder, 'compose.yaml'), `services: { app: { password: ${SECRET} } }\n`);
  await promisify(execFile)('mkfifo', [join(folder, 'pipe.csv')]);
  await writeFile(join(folder, 'jobs.yaml'), `${head}${manifest}`);
  try {
    await openManifest(join(folder, 'jobs.yaml'), { allowOutside });
    return '';
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.message.replaceAll(`${folder}/`, '').split('\n').slice(1).join('\n');
  }
}

const ROWS = 'jobs: [{ id: "{{ sku }}", prompt: "{{ product }}", rows: PATH }]\n';
const OUTSIDE = /is outside of the manifest's folder; move it there, or permit it by --allow-outside$/;

it.each<[string, string, Record<string, string>?]>([
  ['rows', ROWS.replace('PATH', '../rows.csv')],
  ['rows, by a map', ROWS.replace('PATH', '{ file: ../rows.csv }')],
  ['rows, by a link', ROWS.replace('PATH', 'link.csv'), { 'link.csv': '../rows.csv' }],
  ['prompts', 'jobs: [{ prompts: ../prompts.txt }]\n'],
  ['a manifest', 'include: [../other.yaml]\n'],
  ['what is there, or is not', 'include: [../none.yaml]\n'],
])(
  '%s outside of the folder are refused unless that is permitted, and nothing of them is shown',
  async (_, text, links = {}) => {
    const told = await mistakes(text, { links });
    expect(told).toMatch(OUTSIDE);
    expect(told).not.toContain(SECRET);
    expect(await mistakes(text, { links, allowOutside: true })).not.toContain('outside');
  },
);

it('a name that only begins with two dots is inside', async () => {
  expect(await mistakes(ROWS.replace('PATH', '..rows.csv'))).toContain('there is no such file');
});

it.each(['.env', 'compose.yaml', '/dev/zero', '/dev/stdin', '.'])('including %s quotes nothing of it', async (path) => {
  const told = await mistakes(`include: [${path}]\n`, { allowOutside: true });
  expect(told).toMatch(/is not a manifest: expected a map with jobs$|is not a regular file$/);
  expect(told).not.toContain(SECRET);
});

it('a pipe is refused at once', async () => {
  expect(await mistakes(ROWS.replace('PATH', 'pipe.csv'))).toContain('pipe.csv: is not a regular file');
});
