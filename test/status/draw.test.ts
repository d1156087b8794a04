import { describe, expect, it } from 'vitest';
import type { BatchCounts } from '../../src/batch/counts.ts';
import { emptyCounts } from '../../src/batch/counts.ts';
import { drawSnapshot } from '../../src/status/draw.ts';
import type { Snapshot } from '../../src/status/snapshot.ts';
import { leftMs } from '../../src/status/time-left.ts';

const NOTHING = { waiting: 0, active: 0, delayed: 0, oldestMs: null };
const UNUSED = { inWindow: 0, pausedMs: 0, sent: 0, refused: 0, marginMs: 100 };
const worker = (pid: number) => ({
  id: `${pid}`,
  host: 'here',
  pid,
  stages: ['submit', 'poll'],
  startedAt: 40_000,
  version: '0.1.0',
  draining: false,
});

function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    at: 100_000,
    route: { archive: '/archive', api: 'http://127.0.0.1' },
    batches: [],
    queues: { submit: NOTHING, poll: NOTHING, archive: NOTHING, finish: NOTHING },
    rates: {
      submit: { ...UNUSED, limit: 20, windowMs: 10_000 },
      poll: { ...UNUSED, limit: 10, windowMs: 1_000 },
    },
    tasks: { running: 0, most: 100 },
    workers: [worker(1)],
    breaker: null,
    faults: [],
    atRisk: { origin: 0, outlived: 0, stored: 0 },
    pausedAt: null,
    ...changes,
  };
}

function batch(items: Partial<BatchCounts['items']>, more: Partial<BatchCounts> = {}): BatchCounts {
  const all = { ...emptyCounts('spring').items, ...items };
  const total = Object.values(all).reduce((sum, count) => sum + count, 0);
  return { ...emptyCounts('spring'), sealed: true, items: all, total, ...more };
}

const text = (now: Snapshot, earlier?: Snapshot) => drawSnapshot(now, earlier).join('\n');

describe('the view of a fleet', () => {
  it('says who is out of reach, which images are at risk, and which items have lost their jobs', () => {
    const faults = [{ kind: 'archive-unreachable' as const, message: 'refused', since: 40_000, last: 99_000 }];
    const drawn = text(
      snapshot({
        faults,
        atRisk: { origin: 0, outlived: 1, stored: 0 },
        batches: [batch({ finished: 1, queued: 2 }, { orphans: 2 })],
      }),
    );
    expect(drawn).toMatch(/^waiting for the archive since \S+ \(1m 00s\): refused$/m);
    expect(drawn).toMatch(/^at risk: 1 image waits longer than its original URL lives$/m);
    expect(drawn).toContain('2 items have lost their jobs: enqueue the manifest again');
  });

  it('shows a batch under way, the queues, the use of the limits and who works', () => {
    const queues = { ...snapshot().queues, submit: { ...NOTHING, waiting: 60, oldestMs: 4_000 } };
    const drawn = text(snapshot({ batches: [batch({ queued: 60, archived: 20 })], queues }));
    expect(drawn).toContain('spring  █████░░░░░░░░░░░░░░░ 25%  20/80  ~30s left');
    expect(drawn).toMatch(/submit +60 +0 +0 +4s/);
    expect(drawn).toContain('submits  0 of 20 in 10s');
    expect(drawn).toMatch(/here:1 +submit poll +1m 00s/);
  });

  it('keeps what failed and what is held of ended batches in 40 columns', () => {
    const ended = batch({ archived: 58, failed: 3, held: 1 }, { batch: 'a-batch-with-quite-a-long-name', version: 1 });
    const lines = drawSnapshot(snapshot({ batches: [{ ...ended, finishedVersion: 1 }] }), undefined, 40);
    expect(lines.slice(0, 2)).toEqual([
      'ended             archived  failed  held',
      'a-batch-with-qu…  58        3       1',
    ]);
  });

  it('begins with what keeps work from being done', () => {
    const [first] = drawSnapshot(snapshot({ pausedAt: 95_000 }), undefined);
    expect(first).toBe('PAUSED for 5s: flux-batch resume --all goes on');
    const [alone] = drawSnapshot(snapshot({ batches: [batch({ queued: 1 })], workers: [] }), undefined);
    expect(alone).toContain('NO WORKERS');
  });

  it('says of a batch that it is paused, cancelled or still being enqueued', () => {
    const one = (more: Partial<BatchCounts>) => text(snapshot({ batches: [batch({ queued: 1 }, more)] }));
    expect(one({ pausedAt: 40_000 })).toContain('paused for 1m 00s');
    expect(one({ cancelledAt: 40_000 })).toContain('cancelled');
    expect(one({ sealed: false })).toContain('being enqueued');
  });

  it('names a few of many workers and ended batches, and counts the others', () => {
    const workers = Array.from({ length: 30 }, (_, pid) => worker(pid));
    const batches = Array.from({ length: 9 }, (_, n) => batch({ archived: 1 }, { batch: `b${n}` }));
    const drawn = text(snapshot({ workers, batches }));
    expect(drawn).toContain('… and 22 more');
    expect(drawn).toContain('… and 4 earlier');
    expect(drawn.split('\n').length).toBeLessThan(40);
  });
});

describe('the time left', () => {
  const earlier = snapshot({ at: 90_000, batches: [batch({ submitted: 80, archived: 20 })] });

  it('follows the pace that was seen, but for what the limit does not let through sooner', () => {
    const slow = batch({ submitted: 60, archived: 40 });
    expect(leftMs(slow, snapshot({ batches: [slow] }), earlier)).toBe(30_000);
    const limited = batch({ queued: 60, archived: 40 });
    const rates = { ...snapshot().rates, submit: { ...UNUSED, limit: 1, windowMs: 10_000 } };
    expect(leftMs(limited, snapshot({ batches: [limited], rates }), earlier)).toBe(600_000);
  });

  it('is not told for what has ended or does not go on', () => {
    const live = batch({ queued: 1 });
    expect(leftMs(batch({ archived: 1 }), snapshot(), undefined)).toBeNull();
    expect(leftMs({ ...live, pausedAt: 1 }, snapshot(), undefined)).toBeNull();
    expect(leftMs(live, snapshot({ pausedAt: 1 }), undefined)).toBeNull();
  });
});
