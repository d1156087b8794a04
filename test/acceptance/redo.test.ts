import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { expectImagesAsRecorded } from './archived.ts';
import { openPlace } from './place.ts';

const rowSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  sha256: z.string().nullable(),
  current: z.boolean(),
  take: z.number(),
  note: z.string().nullable(),
  order: z.number().nullable(),
});

test('redo makes another take, which has the name; the former one stays as a version, and a run makes nothing again', async (context) => {
  const place = await openPlace(context);
  const ran = async (...args: string[]) => {
    const exit = await place.run(args);
    expect(exit.code, exit.stderr).toBe(0);
    return exit;
  };
  const rows = async () =>
    (await ran('results', 'pots', '--order', 'manifest')).stdout
      .trim()
      .split('\n')
      .map((line) => rowSchema.parse(JSON.parse(line)));
  await place.write(
    'jobs.yaml',
    JSON.stringify({
      version: 1,
      batch: 'pots',
      jobs: [
        { id: 'hero', prompt: 'A lighthouse' },
        { id: 'pot', prompt: 'A teapot', variants: 2 },
      ],
    }),
  );
  await ran('run', 'jobs.yaml');
  const [hero, pot] = await rows();
  expect(hero).toMatchObject({ name: 'hero', current: true, take: 1, note: null });

  expect((await place.run(['redo', 'pots', 'nobody'])).code).toBe(2);
  const two = await place.run(['redo', 'pots', 'pot']);
  expect([two.code, two.stderr]).toEqual([2, expect.stringContaining(`${pot?.id} (variant 1)`)]);

  const told = await ran('redo', 'pots', 'hero', '--note', 'too dark', '--json');
  expect(JSON.parse(told.stdout)).toMatchObject({ takes: [{ name: 'hero', take: 2, of: hero?.id }], credits: 8 });
  // Said twice before it is sent, it is still one.
  await ran('redo', 'pots', 'hero');
  expect(place.simulator.ledger().tasks.accepted).toBe(3);
  await ran('run', 'jobs.yaml');
  expect(place.simulator.ledger().tasks.accepted).toBe(4);

  const after = await rows();
  // A take stands where its item stands in the manifest.
  expect(after.map(({ name, current, take, note, order }) => [name, current, take, note, order])).toEqual([
    ['hero', false, 1, null, 1],
    ['hero', true, 2, 'too dark', 1],
    ['pot', true, 1, null, 2],
    ['pot', true, 1, null, 3],
  ]);
  expect(after[0]?.sha256).toBe(hero?.sha256);
  await expectImagesAsRecorded(place, 'pots');

  await ran('redo', 'pots', 'hero', pot?.id ?? '');
  await ran('run', 'jobs.yaml');
  expect(place.simulator.ledger().tasks.accepted).toBe(6);
  const versions = (await rows()).filter(({ name }) => name === 'hero');
  expect(versions.map(({ take, current }) => `${take} ${current}`).sort()).toEqual(['1 false', '2 false', '3 true']);
  await ran('run', 'jobs.yaml');
  expect(place.simulator.ledger().tasks.accepted).toBe(6);

  // Recorded, it is made though Redis has forgotten it.
  await ran('redo', 'pots', 'hero');
  await rm(join(place.folder, '.flux-batch'), { recursive: true });
  await ran('run', 'jobs.yaml');
  expect(place.simulator.ledger().tasks.accepted).toBe(7);
});
