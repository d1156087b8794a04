import { expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startServer } from '../../src/server/server.ts';
import { openServing } from '../../src/server/serving.ts';
import { connect } from '../../src/wiring/connections.ts';
import { accepted, jobs, startLanes } from '../workers/lanes-crew.ts';

function sampleIn(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

async function serveAccounts() {
  const crew = await startLanes([
    { name: 'main', key: 'KIE_API_KEY', simulator: { credits: 5_000 } },
    { name: 'second', key: 'SECOND_KEY', simulator: { credits: 700 } },
    { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY', simulator: { credits: 300 } },
  ]);
  const server = await startServer(await openServing(crew.connections), { host: '127.0.0.1', port: 0 });
  crew.connections.closers.push(() => server.close());
  return { ...crew, scrape: async () => (await fetch(`${server.url}/metrics`)).text() };
}

const ofBfl = (count: number) =>
  jobs(count, { provider: 'bfl', model: 'flux-2-pro' }).map((job, index) => ({ ...job, id: `direct-${index}` }));

test('each account has series of its own, by lane and provider, that agree with what its provider saw', async () => {
  const crew = await serveAccounts();
  const before = await crew.scrape();
  expect(sampleIn(before, 'flux_lane_credits_left{lane="main",provider="kie"}')).toBe(5_000);
  expect(sampleIn(before, 'flux_lane_credits_left{lane="second",provider="kie"}')).toBe(700);
  expect(sampleIn(before, 'flux_lane_credits_left{lane="direct",provider="bfl"}')).toBe(300);
  // As before there were lanes: of the default account.
  expect(sampleIn(before, 'flux_credits_left')).toBe(5_000);

  await crew.enqueue([...jobs(12), ...ofBfl(5)]);
  await crew.work();
  await crew.ended();
  const seen = crew.simulators.map((simulator) => accepted(simulator).length);
  expect(seen[2]).toBe(5);
  await vi.waitFor(async () => {
    const text = await crew.scrape();
    const submits = ['main",provider="kie', 'second",provider="kie', 'direct",provider="bfl'].map((lane) =>
      sampleIn(text, `flux_lane_submits_total{lane="${lane}"}`),
    );
    expect(submits).toEqual(seen);
    expect(sampleIn(text, 'flux_limiter_sent_total{limiter="submit"}')).toBe((seen[0] ?? 0) + (seen[1] ?? 0));
    expect(sampleIn(text, 'flux_lane_polls_total{lane="direct",provider="bfl"}')).toBeGreaterThanOrEqual(5);
    expect(sampleIn(text, 'flux_lane_limit{lane="main",provider="kie",limiter="submit"}')).toBe(400);
    expect(sampleIn(text, 'flux_lane_share{lane="direct",provider="bfl"}')).toBe(1);
    expect(sampleIn(text, 'flux_lane_paused_seconds{lane="direct",provider="bfl",limiter="poll"}')).toBe(0);
  });
});

test('the queues of other accounts are in the figures of BullMQ, and those that were there keep their names', async () => {
  const crew = await serveAccounts();
  const ofEither = { ...jobs(1, { provider: ['kie', 'bfl'], model: 'flux-kontext-pro' })[0], id: 'either' };
  await crew.enqueue([...jobs(3), ...ofBfl(2), ofEither]);
  const text = await crew.scrape();
  expect(sampleIn(text, 'bullmq_job_count{queue="submit", state="waiting"}')).toBe(3);
  expect(sampleIn(text, 'bullmq_job_count{queue="submit-bfl", state="waiting"}')).toBe(2);
  expect(sampleIn(text, 'bullmq_job_count{queue="submit-either", state="waiting"}')).toBe(1);
  for (const queue of ['poll', 'poll@main', 'poll@second', 'poll@direct', 'archive', 'finish'])
    expect([queue, sampleIn(text, `bullmq_job_count{queue="${queue}", state="delayed"}`)]).toEqual([queue, 0]);
});

test('a lane that closes takes nothing from what was counted', async () => {
  const crew = await serveAccounts();
  await crew.enqueue(jobs(12));
  await crew.work();
  await crew.ended();
  const sent = async () => sampleIn(await crew.scrape(), 'flux_limiter_sent_total{limiter="submit"}');
  await vi.waitFor(async () => expect(await sent()).toBe(12));
  for (const { lane, state } of crew.connections.lanes) {
    if (lane.vendor === 'kie') await state.tripBreaker({ refusal: 'out-of-credits', message: 'top up' });
    expect(await sent()).toBe(12);
  }
});

test('a server that is started before any worker knows the accounts of all providers', async () => {
  const crew = await startLanes([
    { name: 'main', key: 'KIE_API_KEY' },
    { name: 'direct', provider: 'bfl', key: 'BFL_API_KEY' },
  ]);
  await crew.connections.redis.flushdb();
  const config = loadConfig({ ...crew.env, FLUX_LANES: crew.file });
  const looking = await connect(config, { patient: false, prove: false, looksOnly: true });
  crew.connections.closers.push(() => looking.closers.closeAll());
  expect(looking.lanes.map(({ lane }) => lane.name)).toEqual(['main', 'direct']);
  const working = await crew.open();
  expect(looking.lanes.map(({ keys }) => keys.breaker)).toEqual(working.lanes.map(({ keys }) => keys.breaker));
});
