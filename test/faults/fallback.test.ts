import { expect, test, vi } from 'vitest';
import { isElsewhere } from '../../src/items/provider-list.ts';
import { tasksOf } from '../../src/items/record.ts';
import { accepted, jobs, type LaneOf, startLanes } from '../workers/lanes-crew.ts';
import { work } from './lane-worker.ts';

const ITEMS = 120;
const BEFORE = 24;
const LANES: LaneOf[] = [
  // So many credits are there for what it makes before it is closed.
  { name: 'main', key: 'KIE_API_KEY', simulator: { credits: BEFORE * 5, latencyMs: 60, medianMs: 500 } },
  {
    ...{ name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
    simulator: { latencyMs: 60, medianMs: 500, maxTasks: 12 },
    limits: { concurrency: 12 },
  },
];

test('workers that are killed while items go to another provider make nothing twice, and lose nothing', async () => {
  const crew = await startLanes(LANES, { FLUX_SUBMIT_TIMEOUT: '2s' });
  const [main, direct] = crew.simulators;
  const manifest = jobs(ITEMS, { provider: ['kie', 'bfl'], model: 'flux-kontext-pro' });
  await crew.enqueue(manifest);
  let worker = work(crew, LANES);
  // In the middle of the move, and twice more while it goes on; then Redis is emptied, too.
  for (const made of [1, 20, 40]) {
    await vi.waitFor(() => expect(accepted(direct).length).toBeGreaterThanOrEqual(made), { interval: 5 });
    await worker.kill();
    worker = work(crew, LANES);
  }
  await vi.waitFor(() => expect(accepted(direct).length).toBeGreaterThanOrEqual(60), { interval: 5 });
  await worker.kill();
  await crew.connections.redis.flushall();
  await crew.enqueue(manifest);
  work(crew, LANES);
  await vi.waitFor(async () => expect((await crew.counts())?.total).toBe(ITEMS));
  const { items } = await crew.ended();
  expect(items.archived + items.held).toBe(ITEMS);

  const records = await crew.records();
  const ledgers = [main, direct].map((simulator) => simulator?.ledger());
  expect(ledgers.flatMap((ledger) => ledger?.repeatedRequests)).toEqual([]);
  // An item by its prompt, at whichever of both it was started: at one, and once.
  const prompts = ledgers.flatMap((ledger) => ledger?.taskLog.map(({ taskId }) => taskId) ?? []);
  const named = records.flatMap((record) => [...tasksOf(record)]).map((task) => task.split('id=').at(-1));
  // What no record names is an item that a person decides on: its worker died between submit and record.
  const unnamed = prompts.filter((task) => !named.includes(task));
  expect(unnamed.length).toBeLessThanOrEqual(items.held);
  expect(prompts.length).toBe(items.archived + unnamed.length);
  expect(new Set(named).size).toBe(named.length);
  for (const record of records) {
    const own = new Set(accepted(isElsewhere(record) ? direct : main));
    for (const task of tasksOf(record)) expect(own.has(task.split('id=').at(-1) ?? '')).toBe(true);
  }
  process.stderr.write(
    `${JSON.stringify({ items, tasks: [accepted(main).length, accepted(direct).length], unnamed: unnamed.length })}\n`,
  );
});
