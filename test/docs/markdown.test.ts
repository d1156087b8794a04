import { expect, test } from 'vitest';
import { anchorsOf, blocksOf, linksOf, wholeManifest } from './markdown.ts';

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;

test('a fenced block is found with its language and line', () => {
  const page = `# Title\n\n${fenced('sh', 'flux-batch init\nflux-batch plan jobs.yaml')}\n${fenced('', 'said')}`;
  expect(blocksOf(page)).toEqual([
    { language: 'sh', text: 'flux-batch init\nflux-batch plan jobs.yaml\n', line: 3 },
    { language: '', text: 'said\n', line: 8 },
  ]);
});

test('a block has the file name that the text above ends with', () => {
  const [block] = blocksOf(`Your own images, in \`jobs.yaml\`:\n\n${fenced('yaml', 'version: 1')}`);
  expect(block?.file).toBe('jobs.yaml');
});

test('a comment right above a block says how it is run, and the text above that names the file all the same', () => {
  const marked = (comment: string) => blocksOf(`In \`a.sh\`:\n\n<!-- ${comment} -->\n${fenced('sh', 'true')}`)[0];
  expect(marked('not run: needs Docker')).toMatchObject({
    marker: { kind: 'not-run', reason: 'needs Docker' },
    file: 'a.sh',
  });
  expect(marked('runs until stopped: flux-batch serves')?.marker).toEqual({
    kind: 'background',
    words: 'flux-batch serves',
  });
  expect(marked('exits 1: one is refused')?.marker).toEqual({ kind: 'exits', code: 1 });
});

test('a comment above a block that is no marker, or gives no reason, is a mistake', () => {
  expect(() => blocksOf(`<!-- not run -->\n${fenced('sh', 'true')}`)).toThrow(/line 1: expected "not run: reason"/);
  expect(() => blocksOf(`<!-- skip: me -->\n${fenced('sh', 'true')}`)).toThrow(/expected "not run: reason"/);
  expect(() => blocksOf('```sh\ntrue\n')).toThrow('never closed');
});

test('links are found outside of code', () => {
  const page = `See [a](docs/a.md) and ![b](b.png), not \`[c](c.md)\`.\n${fenced('sh', '[d](d.md)')}[e](e.md#part)`;
  expect(linksOf(page)).toEqual(['docs/a.md', 'b.png', 'e.md#part']);
});

test('anchors are those of GitHub', () => {
  expect(anchorsOf('# Stop it, kill it\n## `--where`, and more\n')).toEqual(['stop-it-kill-it', '--where-and-more']);
});

test('a job, or jobs, become a whole manifest', () => {
  const job = '- id: hero\n  prompt: A lighthouse\n';
  const whole = 'version: 1\nbatch: shown\njobs:\n  - id: hero\n    prompt: A lighthouse\n';
  expect(wholeManifest(job)).toBe(whole);
  expect(wholeManifest(`jobs:\n${job.replace(/^(?=.)/gm, '  ')}`)).toBe(whole);
  expect(wholeManifest(whole)).toBe(whole);
});
