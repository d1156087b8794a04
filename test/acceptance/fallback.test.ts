import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { openPlace } from './place.ts';

const ITEMS = 12;

test('a run goes on at the second provider when the first is out of credits, and says what made each image', async (context) => {
  const place = await openPlace(context, { simulator: { credits: 16 } });
  const direct = await startSimulator({ provider: 'bfl', medianMs: 300, pictures: 'plain', imageSize: 64 });
  onTestFinished(() => direct.close());
  const env = { BFL_API_URL: direct.url, BFL_API_KEY: direct.apiKey, FLUX_PRICES: resolve('prices.json') };
  const job = { id: 'pot-{{ n }}', prompt: 'A pot, number {{ n }}', provider: ['kie', 'bfl'] };
  const matrix = { n: Array.from({ length: ITEMS }, (_, index) => String(index)) };
  await place.write('jobs.yaml', JSON.stringify({ version: 1, batch: 'pots', jobs: [{ ...job, matrix }] }));

  const plan = await place.run(['plan', 'jobs.yaml'], env);
  expect(plan.stdout).toContain('at most 96 credits, about $0.48, if all that may go to bfl does');
  const run = await place.run(['run', 'jobs.yaml', '--yes'], env);
  expect(run.code, run.stderr).toBe(0);
  const made = [place.simulator, direct].map((simulator) => simulator.ledger().tasks.accepted);
  expect(made).toEqual([2, ITEMS - 2]);

  const results = await place.run(['results', 'pots', '--format', 'csv', '--where', 'provider=bfl'], env);
  const [head = '', ...rows] = results.stdout.trim().split('\n');
  expect(head.split(',')).toContain('provider');
  expect(rows.length).toBe(ITEMS - 2);
  // By the first alone it is the same batch: nothing is made again.
  await place.write(
    'jobs.yaml',
    JSON.stringify({ version: 1, batch: 'pots', jobs: [{ ...job, provider: 'kie', matrix }] }),
  );
  const again = await place.run(['run', 'jobs.yaml', '--yes'], env);
  expect(again.code, again.stderr).toBe(0);
  expect([place.simulator, direct].map((simulator) => simulator.ledger().tasks.accepted)).toEqual(made);
});
