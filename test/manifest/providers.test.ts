import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, itemsOf, mistakesOf, written } from './written.ts';

const head = 'version: 1\nbatch: spring\n';
const jobs = (...lines: string[]) => ({
  'jobs.yaml': `${head}jobs:\n${lines.map((line) => `  - ${line}\n`).join('')}`,
});

describe('a job of another provider', () => {
  it('has the words of all, and what only its model has in parameters', async () => {
    const [item] = await itemsOf(
      jobs(
        '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-2, aspectRatio: "16:9", parameters: { resolution: 2K } }',
      ),
    );
    expect(item?.request).toEqual({
      provider: 'kie-jobs',
      prompt: 'A kite',
      model: 'nano-banana-2',
      aspectRatio: '16:9',
      parameters: { resolution: '2K' },
    });
  });

  it('has an id of its own, and the default provider has the one that it always had', async () => {
    const ids = async (more: string) => (await itemsOf(jobs(`{ id: a, prompt: A kite${more} }`))).map(({ id }) => id);
    expect(await ids(', provider: kie')).toEqual(await ids(''));
    expect(await ids(', provider: bfl, model: flux-kontext-pro')).not.toEqual(await ids(''));
  });

  it('takes models of a file of one’s own', async () => {
    const folder = await written(jobs('{ id: a, prompt: A kite, provider: bfl, model: flux-3-pro, seed: 3 }'));
    const modelsFile = join(folder, 'models.json');
    const sheets = {
      date: '2026-11-01',
      source: 'a test',
      models: { 'flux-3-pro': { words: { seed: { type: 'whole' } } } },
    };
    await writeFile(modelsFile, JSON.stringify({ bfl: sheets }));
    const { manifest } = await openManifest(join(folder, 'jobs.yaml'), { modelsFile });
    expect((await collected(expand(manifest))).map(({ request }) => request.model)).toEqual(['flux-3-pro']);
  });
});

describe('a mistake is told with its line', () => {
  it.each([
    [
      'a provider that there is not',
      '{ id: a, prompt: A kite, provider: bfi, model: x }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.provider: expected one of kie, kie-jobs, bfl, got "bfi"/,
    ],
    [
      'a model that its provider has not',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-3 }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.model: expected a model of kie-jobs, got "nano-banana-3"; did you mean nano-banana-2\?/,
    ],
    [
      'more pixels than the model makes',
      '{ id: a, prompt: A kite, provider: bfl, model: flux-2-pro, parameters: { width: 4096, height: 2048 } }',
      /parameters\.width: expected at most 4 megapixels, got 4096 × 2048/,
    ],
    [
      'a parameter of another spelling',
      '{ id: a, prompt: A kite, provider: bfl, model: flux-2-flex, parameters: { guidence: 3 } }',
      /parameters\.guidence: .*did you mean guidance\?/,
    ],
    ['no model', '{ id: a, prompt: A kite, provider: bfl }', /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.model: is required/],
    [
      'a word that the model has not',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-2, seed: 3 }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.seed: nano-banana-2 has no such setting/,
    ],
    [
      'a word that only Flux Kontext has',
      '{ id: a, prompt: A kite, provider: bfl, model: flux-2-pro, watermark: mine }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.watermark: flux-2-pro has no such setting/,
    ],
    [
      'a parameter that the model has not',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-2, parameters: { resolutoin: 2K } }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.parameters\.resolutoin: nano-banana-2 has no such parameter; did you mean resolution\?/,
    ],
    [
      'a parameter that JavaScript would hide',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-2, parameters: { __proto__: { x: 1 } } }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.parameters\.__proto__: may not be "__proto__"/,
    ],
    [
      'a number below the least, where there is no most',
      '{ id: a, prompt: A kite, provider: bfl, model: flux-2-pro, parameters: { width: 3 } }',
      /parameters\.width: expected 64 or more, got 3/,
    ],
    [
      'a common word by the API’s name',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-2, parameters: { aspect_ratio: "1:1" } }',
      /write aspectRatio, beside prompt and model$/,
    ],
    [
      'a value that the model has not',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: nano-banana-2, parameters: { resolution: 3K } }',
      /parameters\.resolution: expected one of 1K, 2K, 4K, got "3K"/,
    ],
    [
      'no image where one is edited',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: qwen/image-edit }',
      /jobs\[0\]\.inputImage: is required/,
    ],
    [
      'a pair that the model does not take',
      '{ id: a, prompt: A kite, provider: kie-jobs, model: gpt-image-2-text-to-image, aspectRatio: "1:1", parameters: { resolution: 4K } }',
      /takes no aspect_ratio 1:1 with resolution 4K/,
    ],
    [
      'a word that a template brings',
      '{ id: "a-{{ p }}", prompt: A kite, provider: "{{ p }}", model: flux-kontext-pro, watermark: mine, matrix: { p: [kie, bfl] } }',
      /^jobs\.yaml:4:\d+ {2}jobs\[0\]\.watermark: flux-kontext-pro has no such setting/,
    ],
    [
      'a model of another provider',
      '{ id: a, prompt: A kite, model: "{{ m }}", matrix: { m: [nano-banana-2] } }',
      /it is a model of kie-jobs: write provider: kie-jobs$/,
    ],
  ])('%s', async (_, job, message) => {
    expect(await mistakesOf(jobs(job))).toEqual([expect.stringMatching(message)]);
  });
});
