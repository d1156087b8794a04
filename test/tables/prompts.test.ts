import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { firstWords } from '../../src/tables/prompt-lines.ts';
import { collected, itemsOf, mistakesOf, written } from '../manifest/written.ts';

const head = 'version: 1\nbatch: b\njobs:\n';

describe('a file of prompts', () => {
  it('makes an image of each line, named by its beginning', async () => {
    const items = await itemsOf({
      'jobs.yaml': `${head}  - prompts: p.txt\n`,
      'p.txt':
        '\uFEFF# winter\nA white lighthouse above a calm sea at dawn, long exposure\r\n\n   \n  Ein Krügchen: "rot"\n',
    });
    expect(items.map(({ name, request }) => [name, request.prompt])).toEqual([
      ['A white lighthouse above a calm sea at', 'A white lighthouse above a calm sea at dawn, long exposure'],
      ['Ein Krügchen: "rot"', 'Ein Krügchen: "rot"'],
    ]);
  });

  it('goes into the prompt of the job or of the defaults, and through its matrix', async () => {
    const jobs =
      '  - prompts: p.txt\n  - { id: "x-{{ size }}", prompt: "{{ size }} {{ prompt }}", matrix: { size: [big, small] }, prompts: p.txt }\n';
    const items = await itemsOf({
      'jobs.yaml': `version: 1\nbatch: b\ndefaults: { prompt: "{{ prompt }}, gouache" }\njobs:\n${jobs}`,
      'p.txt': 'teapot',
    });
    expect(items.map(({ name, request }) => `${name}: ${request.prompt}`)).toEqual([
      'teapot: teapot, gouache',
      'x-big: big teapot',
      'x-small: small teapot',
    ]);
  });

  it('keeps the ids of its lines when others come before them', async () => {
    const ids = async (text: string) =>
      (await itemsOf({ 'jobs.yaml': `${head}  - prompts: p.txt\n`, 'p.txt': text })).map(({ id }) => id);
    const before = await ids('A lamp\nA vase\n');
    expect(await ids('# more\nA bowl\n\nA lamp\nA vase\n')).toEqual([expect.any(String), ...before]);
  });

  it('is text: braces are drawn as they stand, a # without a space begins a prompt, and both are told', async () => {
    const folder = await written({
      'jobs.yaml': `${head}  - prompts: p.txt\n`,
      'p.txt': '# comment\n#\n## more\n#1 dad mug\nA {{ color }} vase\rA lamp\r\n\r#tag\n',
    });
    const { manifest, totals } = await openManifest(join(folder, 'jobs.yaml'));
    const prompts = (await collected(expand(manifest))).map(({ request }) => request.prompt);
    expect(prompts).toEqual(['#1 dad mug', 'A {{ color }} vase', 'A lamp', '#tag']);
    expect(totals.notes.map((note) => note.replace(`${folder}/`, ''))).toEqual([
      'p.txt: 3 comments left out',
      'p.txt: a # without a space begins a prompt: lines 4, 8',
      'p.txt: {{ is drawn as it stands, not filled in: line 5',
    ]);
  });

  it('may be in UTF-16, with a mark or without', async () => {
    const utf16 = (text: string) => Buffer.from(text, 'utf16le');
    for (const bytes of [utf16('\uFEFFA cat\r\nA dög\r\n'), utf16('A cat\nA dög\n')]) {
      const items = await itemsOf({ 'jobs.yaml': `${head}  - prompts: p.txt\n`, 'p.txt': bytes });
      expect(items.map(({ request }) => request.prompt)).toEqual(['A cat', 'A dög']);
    }
  });

  it('has its mistakes told with their lines', async () => {
    const text = `A lamp\nA vase\u0000\n${'long '.repeat(2_001)}\nA \u202ecup\n`;
    expect(await mistakesOf({ 'jobs.yaml': `${head}  - prompts: p.txt\n`, 'p.txt': text })).toEqual([
      'p.txt:2  jobs[0].id: expected text without control characters, U+0000 (NUL) is in it, got "A vase\\u0000"',
      'p.txt:2  jobs[0].prompt: expected text without control characters, U+0000 (NUL) is in it, got "A vase\\u0000"',
      `p.txt:3  jobs[0].prompt: expected at most 10000 characters, got "${'long '.repeat(12).slice(0, 57)}…"`,
      'p.txt:4  jobs[0].id: expected text without control characters, U+202E (it turns the direction of text) is in it, got "A \u202ecup"',
      'p.txt:4  jobs[0].prompt: expected text without control characters, U+202E (it turns the direction of text) is in it, got "A \u202ecup"',
    ]);
    expect(await mistakesOf({ 'jobs.yaml': `${head}  - prompts: p.txt\n`, 'p.txt': '# nothing\n' })).toEqual([
      'jobs.yaml:4:14  jobs[0].prompts: p.txt: has no prompts',
    ]);
  });
});

it('names begin with whole words, and never end within a character', () => {
  expect(firstWords('A lamp')).toBe('A lamp');
  expect(firstWords('x'.repeat(60))).toBe('x'.repeat(40));
  expect(firstWords(`${'x'.repeat(39)}🏮${'x'.repeat(9)}`)).toBe('x'.repeat(39));
});
