import { describe, expect, it } from 'vitest';
import { itemsOf, mistakesOf } from './written.ts';

const head = 'version: 1\nbatch: spring\n';
const manifest = (job: string, defaults = '') => ({
  'jobs.yaml': `${head}${defaults === '' ? '' : `defaults: ${defaults}\n`}jobs:\n  - ${job}\n`,
});
const ids = async (job: string) => (await itemsOf(manifest(job))).map(({ id }) => id);

describe('a list of providers', () => {
  it('is asked for in the words of the first, which the id goes by', async () => {
    const [item] = await itemsOf(manifest('{ id: a, prompt: A kite, provider: [kie, bfl], aspectRatio: "4:3" }'));
    expect(item?.providers).toEqual(['kie', 'bfl']);
    expect(item?.request).toEqual({
      prompt: 'A kite',
      model: 'flux-kontext-pro',
      outputFormat: 'jpeg',
      aspectRatio: '4:3',
    });
    expect(await ids('{ id: a, prompt: A kite, provider: [kie, bfl] }')).toEqual(
      await ids('{ id: a, prompt: A kite }'),
    );
    expect(await ids('{ id: a, prompt: A kite, provider: [kie] }')).toEqual(await ids('{ id: a, prompt: A kite }'));
    const ofBfl = 'model: flux-kontext-pro, outputFormat: jpeg';
    expect(await ids(`{ id: a, prompt: A kite, provider: [bfl, kie], ${ofBfl} }`)).toEqual(
      await ids(`{ id: a, prompt: A kite, provider: bfl, ${ofBfl} }`),
    );
  });

  it('comes from the defaults, from a template and from a list of templates', async () => {
    const [ofDefaults] = await itemsOf(manifest('{ id: a, prompt: A kite }', '{ provider: [kie, bfl] }'));
    expect(ofDefaults?.providers).toEqual(['kie', 'bfl']);
    const listed = await itemsOf(
      manifest('{ id: "a-{{ by }}", prompt: A kite, provider: "{{ by }}", matrix: { by: [kie, "kie, bfl"] } }'),
    );
    expect(listed.map(({ providers }) => providers)).toEqual([undefined, ['kie', 'bfl']]);
    const [ofParts] = await itemsOf(
      manifest('{ id: "a-{{ other }}", prompt: A kite, provider: [kie, "{{ other }}"], matrix: { other: [bfl] } }'),
    );
    expect(ofParts?.providers).toEqual(['kie', 'bfl']);
  });
});

describe('a mistake of one of the list is told with its line, and names it', () => {
  it.each([
    [
      'a word that one has not',
      'provider: [kie, bfl], enableTranslation: false',
      [/^jobs\.yaml:4:\d+ {2}jobs\[0\]\.enableTranslation: for bfl: flux-kontext-pro has no such setting/],
    ],
    ['a word that the first has not', 'provider: [kie, bfl], seed: 3', [/jobs\[0\]\.seed: for kie: /]],
    [
      'a value that one has not',
      'provider: [kie, bfl], aspectRatio: "16:21"',
      [/jobs\[0\]\.aspectRatio: for bfl: expected one of 21:9/],
    ],
    [
      'a model that one has not',
      'provider: [kie, bfl], model: flux-2-pro',
      [/jobs\[0\]\.model: for kie: expected one of flux-kontext-pro, flux-kontext-max, got "flux-2-pro"/],
    ],
    ['a model that neither has', 'provider: [kie, bfl], model: x', [/for kie: /, /for bfl: /]],
    ['two of one account', 'provider: [kie, kie-jobs]', [/jobs\[0\]\.provider: kie and kie-jobs are one account/]],
    ['one that is named twice', 'provider: [bfl, bfl], model: x', [/jobs\[0\]\.provider: bfl is named twice/]],
    [
      'one that there is not',
      'provider: [kie, bfi]',
      [/jobs\[0\]\.provider\[1\]: expected one of kie, kie-jobs, bfl, got "bfi"/],
    ],
    ['none at all', 'provider: []', [/jobs\[0\]\.provider: expected at least one entry/]],
    [
      'a word of a template',
      'provider: "{{ by }}", watermark: mine, matrix: { by: ["kie, bfl"] }',
      [/^jobs\.yaml:4:\d+ {2}jobs\[0\]\.watermark: for bfl: flux-kontext-pro has no such setting/],
    ],
  ])('%s', async (_, words, messages) => {
    const told = await mistakesOf(manifest(`{ id: a, prompt: A kite, ${words} }`));
    expect(told).toEqual(messages.map((message) => expect.stringMatching(message)));
  });
});
