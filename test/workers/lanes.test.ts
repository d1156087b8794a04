import { expect, test, vi } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { follow } from '../../src/library/follow.ts';
import { exposition } from '../../src/metrics/exposition.ts';
import { watchBatch } from '../../src/progress/watch.ts';
import { laneFamilies } from '../../src/server/lane-families.ts';
import { drawSnapshot } from '../../src/status/draw.ts';
import { openSnapshots } from '../../src/status/snapshot.ts';
import { openPorts } from '../../src/wiring/stage-ports.ts';
import { BATCH } from '../batch/rig.ts';
import { CONDITION_MS } from '../services/limits.ts';
import { accepted, jobs, startLanes } from './lanes-crew.ts';

const TWO = [
  { name: 'main', key: 'KIE_API_KEY' },
  { name: 'second', key: 'SECOND_KEY' },
];

test('items go to both lanes, and each record names the lane that has its task', async () => {
  const crew = await startLanes(TWO);
  await crew.enqueue(jobs(24));
  await crew.work();
  const { items } = await crew.ended();
  expect(items.archived).toBe(24);
  const records = await crew.records();
  for (const [index, { name }] of TWO.entries()) {
    const ofLane = records.filter(({ lane }) => lane === name);
    expect(ofLane.flatMap((record) => ('taskId' in record ? [record.taskId] : [])).sort()).toEqual(
      accepted(crew.simulators[index]).sort(),
    );
    expect(ofLane.length).toBeGreaterThan(4);
  }
});

test('of lanes that could all send at once each takes its share', async () => {
  const crew = await startLanes([
    { name: 'main', key: 'KIE_API_KEY', limits: { share: 3 } },
    { name: 'second', key: 'SECOND_KEY', limits: { share: 1 } },
    { name: 'retired', key: 'RETIRED_KEY', limits: { share: 0 } },
  ]);
  await crew.enqueue(jobs(40));
  await crew.work();
  await crew.ended();
  expect(crew.simulators.map((simulator) => accepted(simulator).length)).toEqual([30, 10, 0]);
});

test('a lane without credits, or whose key is refused, leaves its items to the other; none is lost or made twice', async () => {
  const crew = await startLanes([
    { name: 'main', key: 'KIE_API_KEY', simulator: { credits: 16 } },
    { name: 'second', key: 'SECOND_KEY' },
    { name: 'wrong', key: 'WRONG_KEY', simulator: { faults: [{ name: '401', share: 1 }] } },
  ]);
  await crew.enqueue(jobs(30));
  await crew.work();
  const { items, credits } = await crew.ended();
  expect(items.archived).toBe(30);
  const [main, second, wrong] = crew.simulators.map((simulator) => simulator.ledger());
  expect(main?.tasks.accepted).toBe(3);
  expect(second?.tasks.accepted).toBe(27);
  expect(wrong?.tasks.accepted).toBe(0);
  expect(credits).toBe((main?.credits.charged ?? 0) + (second?.credits.charged ?? 0));
  const breakers = await Promise.all(crew.connections.lanes.map(({ state }) => state.breaker()));
  expect(breakers.map((breaker) => breaker?.refusal)).toEqual(
    ['out-of-credits', undefined, 'unauthorized', undefined].slice(0, breakers.length),
  );
  const look = await openSnapshots(crew.connections)([BATCH]);
  const told = diagnose(look).findings.map(({ kind, lane = '' }) => [kind, lane]);
  expect(told.sort(([, one = ''], [, other = '']) => one.localeCompare(other))).toEqual([
    ['lane-closed', 'main'],
    ['lane-closed', 'wrong'],
  ]);
  // The default provider goes on.
  expect(look.breaker).toBeNull();
  expect(drawSnapshot(look).join('\n')).toMatch(/main .*closed: out-of-credits\n *second .*\d\n/);
  expect(exposition(laneFamilies(look))).toContain('flux_lane_stopped{lane="main",provider="kie"} 1');
});

test('a batch that was begun without lanes goes on with them, and the key of before asks for what it began', async () => {
  const crew = await startLanes(TWO, { FLUX_API_KEY: 'key-of-main' });
  const before = await crew.open({});
  await crew.enqueue(jobs(6), before);
  const fleet = await crew.work(before);
  await vi.waitFor(() => expect(accepted(crew.simulators[0]).length).toBeGreaterThan(0));
  await fleet.drain(10_000);
  const begun = accepted(crew.simulators[0]).length;
  await crew.work();
  expect((await crew.ended()).items.archived).toBe(6);
  const unnamed = (await crew.records()).filter(({ lane }) => lane === undefined);
  expect(unnamed.length).toBe(begun);
});

test('a worker that lacks the key of a lane leaves its tasks to one that has it', async () => {
  const crew = await startLanes(TWO, { FLUX_POLL_GIVE_UP: '1m' });
  await crew.enqueue(jobs(8));
  const submitting = await crew.work();
  await vi.waitFor(() => expect(accepted(crew.simulators[1]).length).toBeGreaterThan(0));
  await submitting.drain(10_000);
  vi.stubEnv('SECOND_KEY', '');
  await crew.work(await crew.open());
  await vi.waitFor(async () => expect((await crew.counts())?.items.queued).toBe(0));
  vi.stubEnv('SECOND_KEY', 'key-of-second');
  await crew.work(await crew.open());
  expect((await crew.ended()).items.archived).toBe(8);
});

test.each(['kie', 'bfl'] as const)(
  'a batch whose only account, at %s, refuses its key is not waited for',
  async (provider) => {
    const key = provider === 'bfl' ? 'BFL_API_KEY' : 'KIE_API_KEY';
    const simulator = { faults: [{ name: '401', share: 1 } as const] };
    const crew = await startLanes([{ name: 'alone', provider, key, simulator }]);
    const { connections } = crew;
    const request = provider === 'bfl' ? { provider, model: 'flux-2-pro' } : {};
    await crew.enqueue(jobs(4, request));
    await crew.work();
    const end = await watchBatch(connections, await openPorts(connections), {
      batch: BATCH,
      enqueue: async () => ({ items: 4, submits: 4, polls: 0 }),
      signal: AbortSignal.timeout(CONDITION_MS),
    });
    expect(end).toMatchObject({
      ended: false,
      counts: { items: { queued: 4 } },
      stop: { breaker: { refusal: 'unauthorized' }, lane: { name: 'alone', keyVariable: key } },
    });
    const outlooks: string[] = [];
    for await (const { outlook } of follow(BATCH, {
      connections,
      fault: () => undefined,
      signal: AbortSignal.timeout(CONDITION_MS),
    }))
      outlooks.push(outlook);
    expect(outlooks.at(-1)).toBe('stopped');
  },
);

test('items of a vendor whose account stands still do not hold up those of another', async () => {
  const crew = await startLanes([
    { name: 'main', key: 'KIE_API_KEY', simulator: { faults: [{ name: '455', share: 1 }] } },
    { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
  ]);
  const ofBfl = jobs(10, { provider: 'bfl', model: 'flux-2-pro' }).map((job, index) => ({
    ...job,
    id: `direct-${index}`,
  }));
  await crew.enqueue([...jobs(100), ...ofBfl]);
  await crew.work();
  await vi.waitFor(async () => expect((await crew.counts())?.items.archived).toBe(10));
  expect((await crew.counts())?.items.queued).toBe(100);
  const lanes = (await crew.records()).filter(({ state }) => state === 'archived').map(({ lane }) => lane);
  expect(new Set(lanes)).toEqual(new Set(['direct']));
});

test('the bfl items that a former version left in the queue of all are passed on', async () => {
  const crew = await startLanes([{ name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' }], { FLUX_API_KEY: 'none' });
  const { queues } = crew.connections;
  await crew.enqueue(jobs(3, { provider: 'bfl', model: 'flux-2-pro' }));
  const [, ofBfl] = queues.of('submit');
  for (const job of (await ofBfl?.getJobs()) ?? []) {
    await queues.byStage.submit.add(job.name, job.data, { ...(job.id && { jobId: job.id }) });
    await job.remove();
  }
  await crew.work();
  expect((await crew.ended()).items.archived).toBe(3);
});

test('what many items of a lane are refused for is told once, with what to change in the file of lanes', async () => {
  const crew = await startLanes([
    { name: 'main', key: 'KIE_API_KEY', limits: { rate: '400/1s' } },
    { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
  ]);
  const ports = await openPorts(crew.connections);
  const request = { prompt: 'a pear', model: 'flux-kontext-pro' };
  const [main, direct] = await Promise.all(
    ports.accounts.all.map(async (account) => {
      const [one, other] = [await account.portsFor(ports, request), await account.portsFor(ports, request)];
      // Each log counts for itself: all jobs of a lane share one.
      expect(one.log).toBe(other.log);
      return one.settings.limitNames;
    }),
  );
  expect(main?.rate).toBe(`rate of lane main in ${crew.file}`);
  expect(direct?.polls).toBe(`polls of lane direct in ${crew.file} (it has none: BFL_POLL_LIMIT counts)`);
});
