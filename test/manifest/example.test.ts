import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { PARAMETERS } from '../../src/manifest/request-schema.ts';
import { kontextJobSchema, manifestSchema } from '../../src/manifest/schema.ts';
import { kontextParameters } from '../../src/provider/kontext/parameters.ts';
import { collected } from './written.ts';

it('jobs.example.yaml is right and shows, with the examples that it names, every parameter and every key', async () => {
  const { manifest, totals } = await openManifest('jobs.example.yaml');
  const items = await collected(expand(manifest));
  expect(manifest.batch).toBe('spring-catalog');
  expect(totals).toMatchObject({
    items: 16,
    byModel: { 'flux-kontext-max': 2, 'flux-kontext-pro': 14 },
    byJob: [1, 2, 3, 1, 3, 4, 1, 1],
  });
  expect(items.map(({ name, variant, priority }) => `${name} ${variant} ${priority}`)).toEqual([
    'piazza 1 10',
    'hero 1 1',
    'hero 2 1',
    'teapot-crimson-front 1 10',
    'teapot-cobalt-front 1 10',
    'teapot-crimson-three-quarter 1 10',
    'A red kite above green dunes, wide sky, 1 10',
    'shelf-lamp-01 1 10',
    'shelf-vase-02 1 10',
    'shelf-bowl-03 1 10',
    'fox-at-noon 1 10',
    'fox-at-dusk 1 10',
    'heron-at-noon 1 10',
    'heron-at-dusk 1 10',
    'living-room 1 10',
    'refused 1 10',
  ]);
  expect(new Set(items.flatMap(({ request }) => Object.keys(request)))).toEqual(
    new Set(kontextParameters.keyof().options),
  );
  const text = (
    await Promise.all(
      ['jobs.example.yaml', 'examples/piazza.yaml', 'examples/edits.yaml'].map((file) => readFile(file, 'utf8')),
    )
  ).join();
  const { provider: _, ...keys } = { ...manifestSchema.shape, ...kontextJobSchema.shape };
  for (const key of Object.keys(keys)) expect(text).toContain(`${key}:`);
  expect(items.filter(({ embed }) => embed).map(({ name }) => name)).toEqual(['living-room']);
  expect(items.filter(({ request }) => request.prompt.includes('forbidden'))).toHaveLength(1);
  expect(items.find(({ name }) => name === 'heron-at-dusk')).toEqual({
    batch: 'spring-catalog',
    id: expect.stringMatching(/^heron-at-dusk-[0-9a-f]{12}$/),
    name: 'heron-at-dusk',
    variant: 1,
    priority: 10,
    place: { job: '{{ animal }}-at-{{ time }}', file: 'examples/animals.jsonl', line: 2 },
    variables: { animal: 'heron', doing: 'waiting for a ferry', tolerance: '3', time: 'dusk' },
    request: {
      prompt: "A heron waiting for a ferry at dusk, gouache illustration for a children's book",
      model: 'flux-kontext-pro',
      outputFormat: 'png',
      aspectRatio: '4:3',
      enableTranslation: false,
      safetyTolerance: 3,
    },
  });
});

it('jobs.models.yaml is right, and shows three models side by side and every word that only other providers have', async () => {
  const { manifest, totals } = await openManifest('jobs.models.yaml');
  const items = await collected(expand(manifest));
  expect(totals.byModel).toEqual({
    'flux-kontext-pro': 1,
    'kie-jobs/nano-banana-2': 1,
    'bfl/flux-2-pro': 1,
    'kie-jobs/nano-banana-2?resolution=1K': 1,
    'kie-jobs/nano-banana-2?resolution=2K': 1,
    'bfl/flux-2-pro?images=2': 1,
  });
  const [kontext, ...others] = items.slice(0, 3);
  expect(kontext?.request).not.toHaveProperty('provider');
  expect(others.map(({ request }) => request.provider)).toEqual(['kie-jobs', 'bfl']);
  const known = new Set<string>(kontextParameters.keyof().options);
  const words = new Set(items.flatMap(({ request }) => Object.keys(request)));
  for (const word of PARAMETERS.filter((name) => !known.has(name))) expect(words).toContain(word);
});
