import { describe, expect, it } from 'vitest';
import type { BatchCounts } from '../../src/batch/counts.ts';
import type { Snapshot } from '../../src/diagnosis/snapshot.ts';
import { drawSnapshot } from '../../src/status/draw.ts';
import { snapshotJson } from '../../src/status/snapshot-json.ts';
import { batch, lane, look, NONE, worker } from '../diagnosis/looked.ts';

const text = (now: Snapshot) => drawSnapshot(now).join('\n');

describe('the view of a fleet', () => {
  it('says who is out of reach, which images are at risk, and which items have lost their jobs', () => {
    const faults = [{ kind: 'archive-unreachable' as const, message: 'refused', since: 40_000, last: 99_000 }];
    const drawn = text(
      look({
        faults,
        atRisk: { origin: 0, outlived: 1, stored: 0 },
        batches: [batch({ finished: 1, queued: 2 }, { orphans: 2 })],
      }),
    );
    expect(drawn).toMatch(/^waiting for the archive: refused \(since \S+, 1m 00s\)$/m);
    expect(drawn).toMatch(/^at risk: 1 image waits longer than its original URL lives$/m);
    expect(drawn).toContain('2 items of spring have lost their jobs');
  });

  it('shows a batch under way, the queues, the use of the limits and who works', () => {
    const queues = { ...look().queues, submit: { ...NONE, waiting: 60, oldestMs: 4_000, lateMs: 4_000 } };
    const drawn = text(look({ batches: [batch({ queued: 60, archived: 20 })], queues }));
    expect(drawn).toContain('spring  █████░░░░░░░░░░░░░░░ 25%  20/80  ~44s left');
    expect(drawn).toMatch(/submit +60 +0 +0 +4s/);
    expect(drawn).toContain('submits  0 of 20 in 10s');
    expect(drawn).toMatch(/here:1 +submit poll archive +1m 00s/);
    expect(drawn).toContain('pace     submits go out as the rate limit permits: 0 of 20 in 10s');
  });

  it('keeps what failed and what is held of ended batches in 40 columns', () => {
    const ended = batch({ archived: 58, failed: 3, held: 1 }, { batch: 'a-batch-with-quite-a-long-name', version: 1 });
    const lines = drawSnapshot(look({ batches: [{ ...ended, finishedVersion: 1 }] }), 40);
    const head = lines.findIndex((line) => line.startsWith('ended'));
    expect(lines.slice(head, head + 2)).toEqual([
      'ended             archived  failed  held',
      'a-batch-with-qu…  58        3       1',
    ]);
  });

  it('has a line for each account where there are several, and keeps submits, tasks and what is closed in a narrow terminal', () => {
    const lanes = [
      lane('main', { credits: { left: 1_234.5, at: 99_000 }, callbacks: { came: 48, of: 50, awaySince: null } }),
      lane('second', {
        breaker: { refusal: 'out-of-credits', message: 'top up', since: 40_000 },
        ...{ share: 0.5, credits: { left: 2, at: 100_000 - 2 * 3_600_000 } },
        callbacks: { came: 1, of: 9, awaySince: 90_000 },
      }),
      lane('direct', { vendor: 'bfl', share: 0 }),
    ];
    const lines = drawSnapshot(look({ lanes }));
    const head = lines.findIndex((line) => line.startsWith('lane '));
    expect(lines.slice(head, head + 4)).toEqual([
      'lane    provider  credits         submits         polls          callbacks  share  tasks',
      'main    kie       1,234.5         0 of 20 in 10s  0 of 10 in 1s  48 of 50   1      0 of 100',
      'second  kie       2 (2h 00m ago)  0 of 20 in 10s  0 of 10 in 1s  stay away  0.5    0 of 100  closed: out-of-credits',
      'direct  bfl       unknown         0 of 20 in 10s  0 of 10 in 1s  none       0      0 of 100  begins nothing',
    ]);
    // Limits are those of the open ones, tasks those of all that begin any.
    expect(lines).toContain('submits  0 of 20 in 10s');
    expect(lines).toContain('tasks    0 of 200 at the provider');
    expect(drawSnapshot(look({ lanes }), 60)).toContain('second  0 of 20 in 10s  0 of 100  closed: out-of-credits');
    expect(text(look({ lanes: lanes.slice(0, 1) }))).not.toContain('lane ');
  });

  it('begins with what keeps work from being done', () => {
    const [first, remedy] = drawSnapshot(look({ pausedAt: 95_000 }));
    expect(first).toMatch(/^all batches are paused \(since \S+, 5s\)$/);
    expect(remedy).toBe('  → flux-batch resume --all goes on (docs/troubleshooting.md#paused)');
    const [alone] = drawSnapshot(look({ batches: [batch({ queued: 1 })], workers: [] }));
    expect(alone).toBe('no worker runs');
  });

  it('names a few of many findings, and counts the others', () => {
    const batches = Array.from({ length: 30 }, (_, n) => batch({ held: 1 }, { batch: `b${n}` }));
    expect(text(look({ batches }))).toContain('… and 22 more: flux-batch status --json');
  });

  it('says of a batch that it is paused, cancelled or still being enqueued', () => {
    const one = (more: Partial<BatchCounts>) => text(look({ batches: [batch({ queued: 1 }, more)] }));
    expect(one({ pausedAt: 40_000 })).toContain('paused for 1m 00s');
    expect(one({ cancelledAt: 40_000 })).toContain('cancelled');
    expect(one({ sealed: false })).toContain('being enqueued');
  });

  it('names a few of many workers and ended batches, and counts the others', () => {
    const workers = Array.from({ length: 30 }, (_, pid) => worker({ pid }));
    const batches = Array.from({ length: 9 }, (_, n) => batch({ archived: 1 }, { batch: `b${n}` }));
    const drawn = text(look({ workers, batches }));
    expect(drawn).toContain('… and 22 more');
    expect(drawn).toContain('… and 4 earlier');
    expect(drawn.split('\n').length).toBeLessThan(40);
  });
});

it('says the same as JSON, beside all that scripts go by', () => {
  const breaker = { refusal: 'out-of-credits', message: 'top up', since: 40_000 };
  const json = snapshotJson(look({ batches: [batch({ queued: 1 })], breaker }));
  expect(json).toMatchObject({
    gate: breaker,
    batches: [{ maybe: 0, beyond: { items: 0, credits: 0 }, leftMs: null }],
    findings: [{ kind: 'out-of-credits', severity: 'critical', since: 40_000 }],
    bottleneck: { kind: 'out-of-credits' },
  });
});
