import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { type Item, itemOf } from '../../src/items/item.ts';
import { isElsewhere } from '../../src/items/provider-list.ts';
import { claimedRecord } from '../../src/items/transitions.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { openSnapshots } from '../../src/status/snapshot.ts';
import { BATCH } from '../batch/rig.ts';
import { accepted, jobs, type LaneOf, startLanes } from './lanes-crew.ts';

const BOTH = { provider: ['kie', 'bfl'], model: 'flux-kontext-pro' };
const kie = (simulator: LaneOf['simulator'] = {}): LaneOf => ({ name: 'main', key: 'KIE_API_KEY', simulator });
const bfl = (simulator: LaneOf['simulator'] = {}): LaneOf => ({
  ...{ name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
  simulator,
});
type Crew = Awaited<ReturnType<typeof startLanes>>;

const countsOf = ({ simulators }: Crew) => simulators.map((simulator) => accepted(simulator).length);
const sumOf = (crew: Crew) => countsOf(crew).reduce((sum, count) => sum + count, 0);
const charged = (simulator: Simulator | undefined) => simulator?.ledger().credits.charged ?? 0;
const laneOf = ({ connections }: Crew, name: string) => {
  const found = connections.lanes.find(({ lane }) => lane.name === name);
  if (!found) throw new Error(`Expected a lane ${name}`);
  return found;
};
/** As an answer of the API trips it. */
const close = (crew: Crew, name: string) =>
  laneOf(crew, name).state.tripBreaker({ refusal: 'out-of-credits', message: 'so it is', byProbe: false });

/** The sum of both ledgers is the items: nothing was made twice. And each record is of the provider that has its task. */
async function expectMadeOnce(crew: Crew, items: number): Promise<void> {
  const [ofKie = [], ofBfl = []] = crew.simulators.map(accepted);
  expect(ofKie.length + ofBfl.length).toBe(items);
  for (const record of await crew.records()) {
    const own = isElsewhere(record) ? ofBfl : ofKie;
    const task = 'taskId' in record ? record.taskId : undefined;
    expect(own.some((id) => task?.includes(id))).toBe(true);
    expect(record.providers).toEqual(['kie', 'bfl']);
    expect(record.lane).toBe(isElsewhere(record) ? 'direct' : 'main');
  }
}

test('items stay with the provider that they prefer as long as it takes them', async () => {
  const crew = await startLanes([kie(), bfl()]);
  await crew.enqueue(jobs(12, BOTH));
  await crew.work();
  expect((await crew.ended()).items.archived).toBe(12);
  expect(countsOf(crew)).toEqual([12, 0]);
  await expectMadeOnce(crew, 12);
});

test('they go to the other one when the first is out of credits in mid-run, and each account is charged its own price', async () => {
  const crew = await startLanes([kie({ credits: 40 }), bfl()]);
  await crew.enqueue(jobs(20, BOTH));
  await crew.work();
  const { items, credits } = await crew.ended();
  expect(items.archived).toBe(20);
  expect(countsOf(crew)).toEqual([8, 12]);
  await expectMadeOnce(crew, 20);
  // A credit of bfl is worth two.
  expect(credits).toBe(charged(crew.simulators[0]) + 2 * charged(crew.simulators[1]));
});

test('they go when the key is refused in mid-run, and come back when it is accepted again; the log says it once', async () => {
  const crew = await startLanes([kie(), bfl()]);
  const [first] = crew.simulators;
  const lines: { from?: string; to?: string; reason?: string; msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  await crew.enqueue(jobs(8, BOTH));
  await crew.work({ ...crew.connections, log });
  await crew.ended();
  first?.setFaults([{ name: '401', share: 1 }]);
  await crew.enqueue(jobs(20, BOTH));
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(20));
  expect(countsOf(crew)).toEqual([8, 12]);
  first?.setFaults([]);
  await laneOf(crew, 'main').state.resetBreaker();
  await crew.enqueue(jobs(28, BOTH));
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(28));
  expect(countsOf(crew)).toEqual([16, 12]);
  await expectMadeOnce(crew, 28);
  const told = lines.filter(({ msg }) => msg === 'kie is closed: its items that may go to bfl do');
  expect(told).toEqual([
    expect.objectContaining({ from: 'kie', to: 'bfl', reason: expect.stringMatching(/^unauthorized: /) }),
  ]);
});

test('they go where this process lacks the key of the first', async () => {
  const crew = await startLanes([kie(), bfl()]);
  await crew.enqueue(jobs(6, BOTH));
  vi.stubEnv('KIE_API_KEY', '');
  await crew.work(await crew.open());
  expect((await crew.ended()).items.archived).toBe(6);
  expect(countsOf(crew)).toEqual([0, 6]);
  await expectMadeOnce(crew, 6);
});

test('those that only the first may make wait for it, and hold nobody up; a person is told both', async () => {
  const crew = await startLanes([kie(), bfl()]);
  await close(crew, 'main');
  const alone = jobs(40).map((job, index) => ({ ...job, id: `alone-${index}` }));
  await crew.enqueue([...alone, ...jobs(12, BOTH)]);
  const look = await openSnapshots(crew.connections)([BATCH]);
  expect(look.breaker).toBeNull();
  const told = diagnose(look).findings.filter(({ lane }) => lane === 'main');
  expect(told).toEqual([
    expect.objectContaining({
      kind: 'out-of-credits',
      what: expect.stringMatching(/; its items that may go to bfl do$/),
    }),
  ]);
  await crew.work();
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(12));
  expect(countsOf(crew)).toEqual([0, 12]);
  expect((await openSnapshots(crew.connections)([BATCH])).breaker).not.toBeNull();
  await laneOf(crew, 'main').state.resetBreaker();
  expect((await crew.ended()).items.archived).toBe(52);
  expect(countsOf(crew)).toEqual([40, 12]);
});

test('what was enqueued for the first alone goes to the other when the manifest says so, under the same id', async () => {
  const crew = await startLanes([kie(), bfl()]);
  await crew.enqueue(jobs(4));
  await crew.work();
  await crew.ended();
  await close(crew, 'main');
  await crew.enqueue(jobs(10));
  await crew.enqueue(jobs(10, BOTH));
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(10));
  expect(countsOf(crew)).toEqual([4, 6]);
  // And back: what the other has made is found.
  await laneOf(crew, 'main').state.resetBreaker();
  await crew.enqueue(jobs(10));
  await crew.ended();
  expect(countsOf(crew)).toEqual([4, 6]);
  expect((await crew.records()).length).toBe(10);
});

test('an unknown outcome is held at the first and never made at the other', async () => {
  const crew = await startLanes([kie({ credits: 20, faults: [{ name: 'reset-after-accept', times: 2 }] }), bfl()]);
  await crew.enqueue(jobs(10, BOTH));
  await crew.work();
  const { items } = await crew.ended();
  expect(items).toMatchObject({ held: 2, archived: 8 });
  expect(countsOf(crew)).toEqual([4, 6]);
  const held = (await crew.records()).filter(({ state }) => state === 'held');
  expect(held.map(({ request }) => request.provider)).toEqual([undefined, undefined]);
  // With the first closed, nor by a later run that is told to submit it again.
  const again = await crew.open({ FLUX_LANES: crew.file, ON_UNKNOWN: 'resubmit' });
  await crew.enqueue(jobs(10, BOTH), again);
  await vi.waitFor(async () => expect((await crew.connections.queues.submitsOf('kie').getJobCounts()).delayed).toBe(2));
  expect(countsOf(crew)).toEqual([4, 6]);
  expect((await crew.counts())?.items.queued).toBe(2);
});

test('a claim that a dead process left is settled at its provider, whatever is open', async () => {
  const crew = await startLanes([kie(), bfl()], { FLUX_SUBMIT_TIMEOUT: '1s' });
  await close(crew, 'main');
  await crew.enqueue(jobs(3, BOTH));
  const [job] = await crew.connections.queues.submitsOf('either').getJobs();
  const item: Item = itemOf(job?.data);
  await crew.connections.records.create(
    claimedRecord(item, undefined, Date.now(), { now: 5, untold: undefined }, { lane: 'main' }),
  );
  await crew.work();
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(2));
  await laneOf(crew, 'main').state.resetBreaker();
  expect((await crew.ended()).items).toMatchObject({ archived: 2, held: 1 });
  expect(countsOf(crew)).toEqual([0, 2]);
  const record = await crew.connections.records.read(BATCH, item.id);
  expect(record).toMatchObject({ state: 'held', lane: 'main', attempts: 1 });
  expect(record?.request.provider).toBeUndefined();
});

test('a refusal of the picture is no reason to go elsewhere', async () => {
  const crew = await startLanes([kie(), bfl()]);
  await crew.enqueue(jobs(3, { ...BOTH, prompt: 'A forbidden thing' }));
  await crew.work();
  const { items } = await crew.ended();
  expect(items.failed).toBe(3);
  expect(accepted(crew.simulators[1])).toEqual([]);
  expect(sumOf(crew)).toBeLessThanOrEqual(3);
});

test('the budget of the other is kept, and what it has no room for waits for the first', async () => {
  const crew = await startLanes([kie(), bfl()], { BUDGET_CREDITS: 'bfl=12' });
  await close(crew, 'main');
  await crew.enqueue(jobs(9, BOTH));
  await crew.work();
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(3));
  const now = await crew.counts();
  expect(now?.overBudget.items).toBe(0);
  await laneOf(crew, 'main').state.resetBreaker();
  expect((await crew.ended()).items.archived).toBe(9);
  expect(countsOf(crew)).toEqual([6, 3]);
  expect(charged(crew.simulators[1])).toBe(12);
  await expectMadeOnce(crew, 9);
});
