import { expect, test } from 'vitest';
import { z } from 'zod';
import { openPlace } from './place.ts';

const planSchema = z.object({ toMake: z.number(), credits: z.number(), waiting: z.number() });

const manifest = (prompts: readonly string[]) =>
  JSON.stringify({ version: 1, batch: 'pots', jobs: prompts.map((prompt) => ({ id: prompt, prompt })) });

test('what earlier runs left waiting is in the plan, is told of by run, and is what is made', async (context) => {
  const place = await openPlace(context);
  const made = () => {
    const { tasks, credits } = place.simulator.ledger();
    return { tasks: tasks.accepted, credits: credits.charged };
  };
  const planned = async (...args: string[]) => {
    const exit = await place.run(['plan', 'jobs.yaml', '--json', ...args]);
    expect(exit.code, exit.stderr).toBe(0);
    return planSchema.parse(JSON.parse(exit.stdout));
  };
  const ran = async (plan: z.infer<typeof planSchema>, ...args: string[]) => {
    const before = made();
    const exit = await place.run(['run', 'jobs.yaml', ...args]);
    expect(exit.code, exit.stderr).toBe(0);
    expect({ tasks: made().tasks - before.tasks, credits: made().credits - before.credits }).toEqual({
      tasks: plan.toMake,
      credits: plan.credits,
    });
    return exit.stderr;
  };

  // Stopped by its budget, then edited: what waits of the former manifest goes on.
  await place.write('jobs.yaml', manifest(['red', 'blue', 'jade', 'gold']));
  expect((await place.run(['run', 'jobs.yaml', '--budget', '8'])).code).toBe(3);
  expect(made().tasks).toBe(1);
  await place.write('jobs.yaml', manifest(['lamp', 'vase']));
  const edited = await planned();
  expect(edited).toEqual({ toMake: 5, credits: 40, waiting: 3 });
  expect((await place.run(['plan', 'jobs.yaml'])).stdout).toContain('flux-batch cancel pots ends them');
  expect(await ran(edited)).toContain('3 items of earlier runs');
  expect(await planned()).toEqual({ toMake: 0, credits: 0, waiting: 0 });

  // Edited whole twice while something waits: what only the oldest of the three has goes on too.
  for (const [prompts, budget] of [
    [['oak', 'elm', 'ash'], '48'],
    [['fern', 'moss'], '48'],
  ] as const) {
    await place.write('jobs.yaml', manifest(prompts));
    expect((await place.run(['run', 'jobs.yaml', '--budget', budget])).code).toBe(3);
  }
  await place.write('jobs.yaml', manifest(['lamp', 'vase']));
  const twice = await planned();
  expect(twice).toEqual({ toMake: 5, credits: 40, waiting: 5 });
  expect(await ran(twice)).toContain('5 items of earlier runs');
  expect(await planned()).toEqual({ toMake: 0, credits: 0, waiting: 0 });

  // So does another take.
  expect((await place.run(['redo', 'pots', 'lamp'])).code).toBe(0);
  const redone = await planned('--only', 'vase');
  expect(redone).toEqual({ toMake: 1, credits: 8, waiting: 1 });
  await ran(redone, '--only', 'vase');

  // Redis has forgotten what no manifest has any more; the archive has all of it.
  const { tasks } = made();
  const brought = await place.run(['results', 'pots', '--out', 'out']);
  expect(brought.code, brought.stderr).toBe(0);
  expect(brought.stderr).toContain(`${tasks} of ${tasks} images`);
});
