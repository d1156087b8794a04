import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { chargesOf } from '../../src/items/charges.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { inDefaultCredits } from '../../src/money/prices.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { jobs, type LaneOf, startLanes } from '../workers/lanes-crew.ts';
import { work } from './lane-worker.ts';

/** As both providers document them. */
const KIE = { rate: { max: 20, windowMs: 10_000 }, pollRate: { max: 10, windowMs: 1_000 }, maxTasks: 100 };
const ACCOUNT = { ...KIE, medianMs: 12_000, sigma: 0.35 };
const MEASURED_MS = 30_000;
const FULL = 24;

/** The figures are told also where the test passes. */
const say = (figures: object) => process.stderr.write(`${JSON.stringify(figures)}\n`);

type Crew = Awaited<ReturnType<typeof startLanes>>;

const acceptedAt = (simulator: Simulator | undefined) => (simulator?.ledger().taskLog ?? []).map(({ at }) => at);

/** What went out in so long since the first, as a part of what the limit permits. */
function useOf(simulator: Simulator | undefined): number {
  const at = acceptedAt(simulator);
  const first = Math.min(...at);
  return at.filter((time) => time < first + MEASURED_MS).length / ((KIE.rate.max * MEASURED_MS) / KIE.rate.windowMs);
}

/** For how much of the time the account of BFL has as many tasks as it may have, from when it first has. */
async function watchFull(crew: Crew) {
  const lane = crew.connections.lanes.find((open) => open.lane.name === 'direct');
  const simulator = crew.simulators.at(-1);
  await vi.waitFor(async () => expect((await lane?.submitLimiter.outlook())?.isFull).toBe(true));
  const counted: number[] = [];
  const running: number[] = [];
  for (const startedAt = Date.now(); Date.now() - startedAt < MEASURED_MS; ) {
    const usage = await lane?.submitLimiter.outlook();
    counted.push(usage?.isFull ? 1 : 0);
    running.push(simulator?.ledger().tasks.running ?? 0);
    await sleep(100);
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { keptFull: mean(counted), runningThere: mean(running) / FULL };
}

/** One worker is killed, then Redis is emptied; a person enqueues again, and new workers go on. */
async function disturb(
  crew: Crew,
  lanes: readonly LaneOf[],
  manifest: readonly object[],
  killed: { kill(): Promise<void> },
) {
  await killed.kill();
  work(crew, lanes);
  const accepted = () => crew.simulators.reduce((sum, simulator) => sum + acceptedAt(simulator).length, 0);
  const before = accepted();
  await vi.waitFor(() => expect(accepted()).toBeGreaterThanOrEqual(Math.min(manifest.length, before + 8)));
  await crew.connections.redis.flushall();
  await crew.enqueue(manifest);
}

/** Every task of the ledgers is in one record, each record's lane is the one that has its task, and each account's records have its charges. */
async function judge(crew: Crew, lanes: readonly LaneOf[], count: number) {
  await vi.waitFor(async () => expect((await crew.counts())?.total).toBe(count));
  const { items } = await crew.ended();
  const records = await crew.records();
  const ledgers = crew.simulators.map((simulator) => simulator.ledger());
  const ofState = (state: ItemRecord['state']) => records.filter((record) => record.state === state);
  // A worker that was killed between a submit and its record leaves an item of which a person decides.
  expect(items.archived + items.held).toBe(count);
  const tasksIn = (some: readonly ItemRecord[]) =>
    some.flatMap((record) => [
      ...record.earlierTaskIds,
      ...('taskId' in record && record.taskId ? [record.taskId] : []),
    ]);
  const named = new Set(tasksIn(records));
  const { prices } = crew.connections;
  const credits = lanes.map(({ name, provider = 'kie' }, index) => {
    const charges = records.filter(({ lane }) => lane === name).map((record) => chargesOf(record, prices));
    const sum = (of: 'known' | 'unsettled') => charges.reduce((total, charge) => total + charge[of], 0);
    const charged = inDefaultCredits(prices, provider, ledgers[index]?.credits.charged ?? Number.NaN);
    expect(charged).toBeGreaterThanOrEqual(sum('known'));
    expect(charged).toBeLessThanOrEqual(sum('known') + sum('unsettled'));
    return { name, charged, known: sum('known'), unsettled: sum('unsettled') };
  });
  for (const [index, { name }] of lanes.entries()) {
    const accepted = ledgers[index]?.taskLog.map(({ taskId }) => taskId) ?? [];
    const ofLane = new Set(tasksIn(records.filter(({ lane }) => lane === name)).map((id) => id.split('id=').at(-1)));
    expect(accepted.filter((id) => !ofLane.has(id)).length).toBeLessThanOrEqual(ofState('held').length);
  }
  const tasks = ledgers.reduce((sum, ledger) => sum + ledger.tasks.accepted, 0);
  expect(tasks - named.size).toBeLessThanOrEqual(items.held);
  expect(ledgers.flatMap(({ repeatedRequests }) => repeatedRequests)).toEqual([]);
  return { ledgers, items, tasks, credits };
}

test('two accounts are twice as fast as one, and pay for each image once, through a kill and an empty Redis', async () => {
  const lanes: LaneOf[] = [
    {
      name: 'main',
      key: 'KIE_API_KEY',
      simulator: ACCOUNT,
      limits: { rate: '20/10s', polls: '10/1s', concurrency: 100 },
    },
    {
      name: 'second',
      key: 'SECOND_KEY',
      simulator: ACCOUNT,
      limits: { rate: '20/10s', polls: '10/1s', concurrency: 100 },
    },
  ];
  const crew = await startLanes(lanes);
  const one = lanes.slice(0, 1);
  const alone = await startLanes(one);
  const manifest = jobs(200);
  await Promise.all([crew.enqueue(manifest), alone.enqueue(jobs(80))]);
  // A process for each account here and there, so that each has as much to do.
  const [first] = [work(crew, lanes), work(crew, lanes), work(alone, one)];
  const [main, second] = crew.simulators;
  const [only] = alone.simulators;
  await vi.waitFor(() => expect([main, only].map((simulator) => acceptedAt(simulator).length)).not.toContain(0));
  await sleep(MEASURED_MS + 3_000);
  const uses = [useOf(main), useOf(second)];
  const usual = useOf(only);
  const times = uses.reduce((sum, use) => sum + use, 0) / usual;
  await disturb(crew, lanes, manifest, first);
  const { ledgers, items, tasks } = await judge(crew, lanes, 200);
  const counts = await crew.counts();
  const charged = ledgers.reduce((sum, ledger) => sum + ledger.credits.charged, 0);
  say({ uses, usual, times, items, tasks, charged, known: counts?.credits, unsettled: counts?.unsettled });
  expect(charged).toBeGreaterThanOrEqual(counts?.credits ?? Infinity);
  expect(charged).toBeLessThanOrEqual((counts?.credits ?? 0) + (counts?.unsettled ?? 0));
  // One account alone, on the same machine at the same time: where that has other things to do, all of them are late.
  expect(times).toBeGreaterThan(1.8);
});

test('two providers each work at their own limit, and neither waits for the other', async () => {
  const lanes: LaneOf[] = [
    {
      name: 'main',
      key: 'KIE_API_KEY',
      simulator: ACCOUNT,
      limits: { rate: '20/10s', polls: '10/1s', concurrency: 100 },
    },
    {
      ...{ name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
      simulator: { medianMs: 12_000, sigma: 0.35, pollRate: { max: 10, windowMs: 1_000 }, maxTasks: FULL },
      limits: { concurrency: FULL },
    },
  ];
  const crew = await startLanes(lanes);
  // Each account alone, on the same machine at the same time: where that has other things to do, all of them are late.
  const [mainAlone, directAlone] = [await startLanes(lanes.slice(0, 1)), await startLanes(lanes.slice(1))];
  const ofBfl = jobs(100, { provider: 'bfl', model: 'flux-2-pro' }).map((job, index) => ({
    ...job,
    id: `direct-${index}`,
  }));
  const manifest = [...jobs(100), ...ofBfl];
  await Promise.all([crew.enqueue(manifest), mainAlone.enqueue(jobs(100)), directAlone.enqueue(ofBfl)]);
  const [first] = [work(crew, lanes), work(crew, lanes)];
  work(mainAlone, lanes.slice(0, 1));
  work(directAlone, lanes.slice(1));
  const [full, fullAlone] = await Promise.all([watchFull(crew), watchFull(directAlone)]);
  const figures = { use: useOf(crew.simulators[0]), ...full };
  const usual = { use: useOf(mainAlone.simulators[0]), ...fullAlone };
  await disturb(crew, lanes, manifest, first);
  const { items, tasks, credits } = await judge(crew, lanes, 200);
  say({ figures, usual, items, tasks, credits });
  expect(figures.use).toBeGreaterThan(0.9 * usual.use);
  expect(figures.keptFull).toBeGreaterThan(0.9 * usual.keptFull);
});
