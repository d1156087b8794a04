import { expect, type TestContext, test } from 'vitest';
import { expectImagesAsRecorded, recordsOf } from './archived.ts';
import { openPlace } from './place.ts';

const manifest = (batch: string, jobs: readonly object[]) => JSON.stringify({ version: 1, batch, jobs });
const LIGHTHOUSE = 'A lighthouse';

async function openPots(context: TestContext) {
  const place = await openPlace(context);
  const ran = async (...args: string[]) => {
    const exit = await place.run(args);
    expect(exit.code, exit.stderr).toBe(0);
    return exit;
  };
  await place.write('jobs.yaml', manifest('pots', [{ id: 'hero', prompt: LIGHTHOUSE, variants: 2 }]));
  await ran('run', 'jobs.yaml');
  const plan = async () => JSON.parse((await ran('plan', 'jobs.yaml', '--json')).stdout);
  const tasks = () => place.simulator.ledger().tasks.accepted;
  return { place, ran, plan, tasks };
}

test('was: a renamed job keeps its images, and nothing is paid for', async (context) => {
  const { place, ran, plan, tasks } = await openPots(context);
  await place.write(
    'jobs.yaml',
    manifest('pots', [{ id: 'lighthouse', was: 'hero', prompt: LIGHTHOUSE, variants: 2 }]),
  );
  expect(await plan()).toMatchObject({ items: 2, toMake: 0, adopted: 2, credits: 0 });
  expect(JSON.parse((await ran('run', 'jobs.yaml', '--json')).stdout)).toMatchObject({ credits: 0 });
  expect(tasks()).toBe(2);
  expect(await plan()).toMatchObject({ toMake: 0, archived: 2, adopted: 0 });
  const records = await recordsOf(place, 'pots');
  expect(records.filter(({ adopted }) => adopted).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'lighthouse archived',
    'lighthouse archived',
  ]);
  await expectImagesAsRecorded(place, 'pots');
  const { stdout } = await ran('results', 'pots', '--where', 'current=true');
  expect(stdout.match(/"name":"lighthouse"/g)).toHaveLength(2);

  // Another request is another image, whatever it was called.
  await place.write('jobs.yaml', manifest('pots', [{ id: 'tower', was: 'hero', prompt: 'A tower', variants: 2 }]));
  expect(await plan()).toMatchObject({ toMake: 2, adopted: 0 });
});

test('was: a take that is not made yet does not hide the image that there is', async (context) => {
  const { place, ran, plan, tasks } = await openPots(context);
  const [first] = await recordsOf(place, 'pots');
  await ran('redo', 'pots', first?.id ?? '');
  await place.write('jobs.yaml', manifest('pots', [{ id: 'beacon', was: 'hero', prompt: LIGHTHOUSE, variants: 2 }]));
  expect(await plan()).toMatchObject({ adopted: 2, toMake: 1, waiting: 1, credits: 8 });
  await ran('run', 'jobs.yaml');
  expect(tasks()).toBe(3);
  await expectImagesAsRecorded(place, 'pots');
});

test('adopt takes over equal requests of other names and of a renamed batch, and what is declared equal', async (context) => {
  const { place, ran, plan, tasks } = await openPots(context);
  await place.write('jobs.yaml', manifest('renamed', [{ id: 'beacon', prompt: LIGHTHOUSE, variants: 2 }]));
  expect((await ran('adopt', 'jobs.yaml')).stderr).toContain('0 images taken over');
  expect((await ran('adopt', 'jobs.yaml', '--from', 'pots')).stderr).toContain('2 images taken over');
  expect(await plan()).toMatchObject({ toMake: 0, archived: 2 });
  await ran('run', 'jobs.yaml');

  await place.write('jobs.yaml', manifest('pots', [{ id: 'tower', prompt: 'A tower by the sea', variants: 2 }]));
  expect((await ran('adopt', 'jobs.yaml')).stderr).toContain('0 images taken over');
  const wrong = await place.run(['adopt', 'jobs.yaml', '--as', 'tower=nobody']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('nothing to take over')]);
  const told = await ran('adopt', 'jobs.yaml', '--as', 'tower=hero', '--json');
  expect(JSON.parse(told.stdout).adopted).toHaveLength(2);
  await ran('run', 'jobs.yaml');
  expect(tasks()).toBe(2);
  await expectImagesAsRecorded(place, 'pots');
  await expectImagesAsRecorded(place, 'renamed');
});
