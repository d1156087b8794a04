import { expect, test, vi } from 'vitest';
import { exposition, merged } from '../../src/metrics/exposition.ts';
import { itemsOf, startDeployment } from './deployment.ts';

const scrape = async (url: string) => (await fetch(`${url}/metrics`)).text();

/** The value of a sample, `undefined` where there is none. */
function sampleIn(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

test('what a batch did is in the metrics', async () => {
  const deployment = await startDeployment();
  await deployment.addWorkers();
  await deployment.enqueue('spring', itemsOf('spring', 6));
  await deployment.ended('spring');
  // What a job has done is counted before the job itself is completed, and each of them at its own time.
  await vi.waitFor(
    async () => {
      const text = await scrape(deployment.url);
      expect(sampleIn(text, 'flux_archived_seconds_count')).toBe(6);
      // Most find a poll to hurry; on a busy machine one may come when its poll has been.
      const results = ['hurried', 'brought-back', 'ignored'];
      const callbacks = results.map((result) => sampleIn(text, `flux_callbacks_total{result="${result}"}`) ?? 0);
      expect(callbacks.reduce((sum, count) => sum + count, 0)).toBe(6);
      expect(sampleIn(text, 'flux_items{batch="spring",state="archived"}')).toBe(6);
      expect(sampleIn(text, 'flux_submits_total')).toBe(6);
      expect(sampleIn(text, 'flux_credits_spent_total')).toBe(48);
      expect(sampleIn(text, 'flux_credits_left')).toBeGreaterThan(999_000);
      expect(sampleIn(text, 'flux_archived_bytes_total')).toBeGreaterThan(6 * 1_000);
      expect(sampleIn(text, 'flux_limiter_sent_total{limiter="submit"}')).toBe(6);
      expect(sampleIn(text, 'flux_task_polls_count')).toBe(6);
      expect(sampleIn(text, 'flux_discovery_seconds_bucket{le="+Inf"}')).toBe(6);
      expect(sampleIn(text, 'flux_submitting_stopped')).toBe(0);
      expect(sampleIn(text, 'bullmq_job_completed_total{queue="archive"}')).toBe(6);
      expect(text).toMatch(/^process_cpu_seconds_total /m);
    },
    { interval: 100 },
  );
});

test('every metric is described once, as the format wants it', async () => {
  const { url } = await startDeployment();
  const heads = (await scrape(url)).split('\n').filter((line) => line.startsWith('# TYPE'));
  expect(new Set(heads).size).toBe(heads.length);
});

test('work that nobody does shows as waiting, and a stopped account as stopped', async () => {
  const deployment = await startDeployment();
  await deployment.enqueue('spring', itemsOf('spring', 2));
  await deployment.connections.state.tripBreaker({ refusal: 'out-of-credits', message: 'no credits' });
  await vi.waitFor(async () =>
    expect(sampleIn(await scrape(deployment.url), 'flux_oldest_waiting_seconds{stage="submit"}')).toBeGreaterThan(0.1),
  );
  const text = await scrape(deployment.url);
  expect(sampleIn(text, 'flux_submitting_stopped{refusal="out-of-credits"}')).toBe(1);
  expect(sampleIn(text, 'bullmq_job_count{queue="submit", state="waiting"}')).toBe(2);
});

test('an item whose URL is about to die counts as at risk', async () => {
  const { connections, url } = await startDeployment();
  const [item] = itemsOf('spring', 1);
  if (!item) throw new Error('no item');
  const now = Date.now();
  await connections.queues.forward.archive({
    ...item,
    queuedAt: now,
    taskId: 'task-1',
    submittedAt: now,
    giveUpAt: now,
    recorded: true,
    completedAt: now - 540_000,
    discoveredAt: now,
    originUrl: 'https://x.example/1',
    originDiesAt: now + 60_000,
    storedUrl: 'https://x.example/2',
    storedDiesAt: now + 14 * 86_400_000,
  });
  const text = await scrape(url);
  expect(sampleIn(text, 'flux_items_at_risk{url="origin"}')).toBe(1);
  expect(sampleIn(text, 'flux_items_at_risk{url="stored"}')).toBe(0);
});

test('a thousand batches make no more series than twenty and the rest', async () => {
  const { connections, url } = await startDeployment();
  for (let index = 0; index < 30; index += 1) {
    const batch = `batch-${String(index).padStart(2, '0')}`;
    await connections.state.intake.open(batch, { archive: '', api: '', digest: '' });
    await connections.state.intake.admit(batch, [{ id: 'a', was: undefined, to: 'queued' }]);
  }
  const text = await scrape(url);
  const named = new Set([...text.matchAll(/^flux_items\{batch="([^"]+)"/gm)].map(([, batch]) => batch));
  expect(named.size).toBe(21);
  expect(sampleIn(text, 'flux_items{batch="(other)",state="queued"}')).toBe(10);
  expect(sampleIn(text, 'flux_batches')).toBe(30);
});

test('label values and help are escaped', () => {
  const samples = [{ value: 1, labels: { batch: 'a"b\\c\nd' } }];
  expect(exposition([{ name: 'x', help: 'one\ntwo', type: 'gauge', samples }])).toBe(
    '# HELP x one\\ntwo\n# TYPE x gauge\nx{batch="a\\"b\\\\c\\nd"} 1\n',
  );
});

test('expositions of several queues become one', () => {
  const of = (queue: string) => `# HELP n N\n# TYPE n gauge\nn{queue="${queue}"} 1`;
  expect(merged([of('a'), of('b')])).toBe('# HELP n N\n# TYPE n gauge\nn{queue="a"} 1\nn{queue="b"} 1\n');
});
