import { describe, expect, it } from 'vitest';
import { firstWords } from '../../src/tables/prompt-lines.ts';
import { itemsOf, mistakesOf } from '../manifest/written.ts';

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

  it('has its mistakes told with their lines', async () => {
    const text = `A lamp\nA {{ color }} vase\n${'long '.repeat(2_001)}\n`;
    expect(await mistakesOf({ 'jobs.yaml': `${head}  - prompts: p.txt\n`, 'p.txt': text })).toEqual([
      'p.txt:2  jobs[0].prompts: "{{" is not filled in within a file of prompts; put it into the job\'s own prompt, around {{ prompt }}',
      `p.txt:3  jobs[0].prompt: expected at most 10000 characters, got "${'long '.repeat(12).slice(0, 57)}…"`,
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
