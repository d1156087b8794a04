import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import { KINDS, type Kind } from '../../src/diagnosis/finding.ts';
import type { Snapshot } from '../../src/diagnosis/snapshot.ts';
import { batch, lane, look, NONE, ROUTE, use, worker } from './looked.ts';

const BUSY = [batch({ queued: 60, submitted: 20, archived: 20 })];
const ELSEWHERE = { archive: 's3://other', api: 'http://127.0.0.1' };
const queues = look().queues;
const rates = look().rates;

const tripped = (refusal: string) => ({ breaker: { refusal, message: 'so it is', since: 40_000 } });
const fault = (kind: Snapshot['faults'][number]['kind']) => ({
  faults: [{ kind, message: 'so it is', since: 40_000, last: 99_000 }],
});

const direct: Snapshot['lanes'][number] = { ...lane('direct'), vendor: 'bfl' };

/** Each cause: what a look shows, and the words in which a person is told what is wrong and what to do. */
const CAUSES: readonly [Kind, Partial<Snapshot>, what: RegExp, remedy: RegExp][] = [
  [
    'lane-closed',
    { lanes: [lane('main'), lane('second', tripped('out-of-credits'))] },
    /^second: submitting is stopped \(out-of-credits\)/,
    /gate open second/,
  ],
  [
    'lane-closed',
    { lanes: [{ ...lane('main', tripped('out-of-credits')), waiting: 0 }, direct], waitingForEither: 12 },
    /^main: submitting is stopped \(out-of-credits\): so it is; its items that may go to bfl do$/,
    /gate open main/,
  ],
  [
    'out-of-credits',
    { lanes: [lane('main', tripped('out-of-credits')), direct], waitingForEither: 12 },
    /so it is; its items that may go to bfl do$/,
    /gate open main/,
  ],
  [
    'out-of-credits',
    {
      lanes: [
        { ...lane('main', tripped('out-of-credits')), waiting: 0 },
        { ...direct, share: 0 },
      ],
      waitingForEither: 12,
    },
    /^main: submitting is stopped \(out-of-credits\): so it is$/,
    /gate open main/,
  ],
  [
    'redis-unreachable',
    { redisAway: { message: 'no answer', since: 40_000 } },
    /waiting for Redis: no answer/,
    /REDIS_URL/,
  ],
  ['archive-denied', fault('archive-denied'), /refuses to store: so it is/, /credentials .* ARCHIVE_URL/],
  ['archive-full', fault('archive-full'), /waiting for space in the archive/, /free some space/],
  ['archive-unreachable', fault('archive-unreachable'), /waiting for the archive: so it is/, /S3_ENDPOINT/],
  ['key-refused', tripped('unauthorized'), /stopped \(unauthorized\): so it is/, /FLUX_API_KEY.*flux-batch gate open/],
  ['out-of-credits', tripped('out-of-credits'), /stopped \(out-of-credits\)/, /top it up/],
  ['api-not-found', tripped('not-found'), /stopped \(not-found\)/, /FLUX_API_URL/],
  ['api-unreachable', tripped('unreachable'), /stopped \(unreachable\)/, /nothing is lost/],
  ['api-maintenance', tripped('maintenance'), /stopped \(maintenance\)/, /gets through/],
  ['too-many-unknown', tripped('too-many-unknown'), /stopped \(too-many-unknown\)/, /flux-batch held/],
  ['submitting-stopped', tripped('new-in-a-later-version'), /new-in-a-later-version/, /waits for a person/],
  ['no-worker', { workers: [] }, /no worker runs/, /flux-batch worker starts one/],
  ['no-worker', { workers: [worker({ stages: ['poll', 'archive'] })] }, /stage submit/, /flux-batch worker submit/],
  ['no-worker', { workers: [worker({ draining: true })] }, /no worker runs for this archive/, /flux-batch worker/],
  ['no-worker', { workers: [worker({ route: ELSEWHERE })] }, /for this archive and API/, /ARCHIVE_URL is \/archive/],
  [
    'other-route',
    { batches: [batch({ queued: 1 }, ELSEWHERE)], workers: [worker({ route: ROUTE })] },
    /spring goes to s3:\/\/other .* no worker/,
    /ARCHIVE_URL=s3:\/\/other FLUX_API_URL=\S+ flux-batch worker/,
  ],
  ['poll-unanswered', fault('poll-unanswered'), /waiting for answers of the API/, /paid for/],
  ['uploads-unanswered', fault('uploads-unanswered'), /waiting for the provider to take pictures/, /KIE_UPLOAD_URL/],
  ['jobs-lost', { batches: [batch({ queued: 2 }, { orphans: 2 })] }, /2 items of spring have lost/, /enqueue/],
  ['images-unreachable', fault('images-unreachable'), /the images' host: so it is/, /FETCH_ALLOW/],
  [
    'images-at-risk',
    { atRisk: { origin: 0, outlived: 3, stored: 0 } },
    /at risk: 3 images wait longer than their original URL lives/,
    /worker archive/,
  ],
  [
    'images-at-risk',
    { atRisk: { origin: 0, outlived: 0, stored: 1 } },
    /1 image waits .* gone within a day/,
    /archive/,
  ],
  ['paused', { pausedAt: 40_000 }, /all batches are paused/, /resume --all/],
  ['paused', { batches: [batch({ queued: 1 }, { pausedAt: 40_000 })] }, /spring is paused/, /resume spring/],
  [
    'out-of-budget',
    { batches: [batch({ queued: 2 }, { budget: 50, credits: 48, overBudget: { items: 2, credits: 16 } })] },
    /spring is out of budget: 2 items of 16 credits wait beyond 50/,
    /--budget 64/,
  ],
  [
    'rate-refused',
    { rates: { ...rates, submit: use({ refused: 12, refusedAt: 90_000, pausedMs: 2_000 }) } },
    /submits for their rate \(429\): 12 so far, paused for 2s/,
    /another program.*FLUX_RATE_LIMIT/,
  ],
  [
    'rate-refused',
    { rates: { ...rates, submit: use({ refused: 12, refusedAt: 1, limit: 12 }) } },
    /the limit in force is 12 of 20 in 10s/,
    /FLUX_RATE_LIMIT/,
  ],
  [
    'provider-slow',
    { at: 900_000, tasks: { running: 20, most: 100, oldestAt: 100_000, newestAt: 800_000, startedAt: [] } },
    /20 tasks under way, the oldest for 13m 20s, where they took 10s lately/,
    /FLUX_POLL_GIVE_UP/,
  ],
  [
    'archive-behind',
    { archiveLag: { since: 40_000, waiting: 900, diesAt: 280_000 } },
    /900 images are more than it takes before the first of them dies, in 3m 00s/,
    /worker archive/,
  ],
  [
    'archive-busy',
    { queues: { ...queues, archive: { ...NONE, waiting: 40, active: 8, lateMs: 30_000, oldestMs: 30_000 } } },
    /48 images, the oldest for 30s/,
    /--archive-concurrency/,
  ],
  [
    'poll-rate',
    {
      queues: { ...queues, poll: { ...NONE, waiting: 77, lateMs: 30_000, oldestMs: 30_000 } },
      rates: { ...rates, poll: use({ limit: 1, configured: 1, inWindow: 1, windowMs: 1_000 }) },
    },
    /wait for the poll limit: 1 of 1 in 1s, the oldest is 30s late/,
    /FLUX_POLL_LIMIT/,
  ],
  [
    'callbacks-away',
    { callbacksAway: [{ account: 'kie', since: 90_000, missed: 12, cameAt: 40_000 }] },
    /callbacks of kie stay away: none for the latest 12 tasks that ended, the last came 1m 00s ago/,
    /FLUX_CALLBACK_URL.*flux-batch doctor/,
  ],
  ['clock-skew', { workers: [worker({ skewMs: -600_000 })] }, /clock of here is 10m 00s slow/, /NTP/],
  ['held', { batches: [batch({ held: 3, queued: 1 })] }, /spring: 3 items are held and wait/, /flux-batch held spring/],
  [
    'images-missing',
    { batches: [batch({ archived: 3 }, { missing: 2 })] },
    /spring: 2 images are not in the archive any more/,
    /put back.*flux-batch results spring.*flux-batch redo spring/,
  ],
  [
    'records-unreadable',
    { batches: [batch({ archived: 3 }, { unreadable: 1 })] },
    /spring: 1 record cannot be read/,
    /flux-batch results spring names the files/,
  ],
];

describe('each cause is told with what is wrong and what to do', () => {
  test.each(CAUSES)('%s %#', (kind, seen, what, remedy) => {
    const { findings } = diagnose(look({ batches: BUSY, ...seen }));
    expect(findings.map((finding) => finding.kind)).toEqual([kind]);
    const [found] = findings;
    expect(found?.what).toMatch(what);
    expect(found?.remedy).toMatch(remedy);
    expect(found).toMatchObject({ severity: KINDS[kind], anchor: `docs/troubleshooting.md#${kind}` });
  });

  test('no kind is left out', () => {
    const paces: Kind[] = ['submit-rate', 'task-limit', 'generating', 'enqueueing'];
    const told = new Set([...CAUSES.map(([kind]) => kind), ...paces]);
    expect([...told].sort()).toEqual(Object.keys(KINDS).sort());
  });
});

test('a limit is used up also where the margin between two uses of a slot keeps a place or two of it free', () => {
  const late = { ...queues, poll: { ...NONE, active: 16, lateMs: 30_000, oldestMs: 30_000 } };
  const kinds = (inWindow: number) => {
    const poll = use({ limit: 10, configured: 10, windowMs: 1_000, marginMs: 100, inWindow });
    return diagnose(look({ batches: BUSY, queues: late, rates: { ...rates, poll } })).findings.map(({ kind }) => kind);
  };
  expect(kinds(9)).toEqual(['poll-rate']);
  expect(kinds(8)).toEqual(['poll-rate']);
  expect(kinds(5)).toEqual([]);
});

test('what is wrong comes the worst first, and of one kind the longest first', () => {
  const faults = [...fault('images-unreachable').faults, ...fault('archive-full').faults];
  const { findings, bottleneck } = diagnose(
    look({ batches: [batch({ queued: 1, held: 1 })], faults, ...tripped('unreachable'), pausedAt: 1 }),
  );
  const kinds = ['archive-full', 'api-unreachable', 'images-unreachable', 'paused', 'held'];
  expect(findings.map(({ kind }) => kind)).toEqual(kinds);
  expect(bottleneck?.kind).toBe('archive-full');
});

describe('the bottleneck', () => {
  const of = (changes: Partial<Snapshot>) => diagnose(look({ batches: BUSY, ...changes })).bottleneck?.kind;

  test('is nothing where nothing is to be done', () => {
    expect(diagnose(look({ batches: [batch({ archived: 1 })] }))).toEqual({ findings: [], bottleneck: null });
  });

  test('is the rate of submits where all is as it should be, and is no finding', () => {
    expect(of({})).toBe('submit-rate');
    expect(diagnose(look({ batches: BUSY })).findings).toEqual([]);
  });

  test('is the limit that was lowered, where the provider refuses for the rate', () => {
    expect(of({ rates: { ...rates, submit: use({ limit: 12, refused: 1 }) } })).toBe('rate-refused');
  });

  test('is how many tasks may run, then the provider, then who enqueues', () => {
    expect(of({ tasks: { running: 100, most: 100, oldestAt: null, newestAt: null, startedAt: [] } })).toBe(
      'task-limit',
    );
    expect(of({ batches: [batch({ submitted: 20 })] })).toBe('generating');
    expect(of({ batches: [batch({}, { sealed: false })] })).toBe('enqueueing');
  });

  test('is what holds one batch up only where no other goes on', () => {
    const paused = batch({ queued: 1 }, { batch: 'autumn', pausedAt: 1 });
    expect(of({ batches: [paused, ...BUSY] })).toBe('submit-rate');
    expect(of({ batches: [paused] })).toBe('paused');
    expect(of({ batches: [paused, batch({ queued: 1 }, { pausedAt: 1 })] })).toBe('paused');
  });

  test('is no budget as long as there is room in it', () => {
    const more = { budget: 50, overBudget: { items: 1, credits: 8 } };
    expect(of({ batches: [batch({ queued: 2 }, more)] })).toBe('submit-rate');
    expect(of({ batches: [batch({ queued: 1, submitted: 1 }, more)] })).toBe('generating');
    expect(of({ batches: [batch({ queued: 1 }, more)] })).toBe('out-of-budget');
  });
});

test('a batch and a worker of versions that do not tell their route are taken for ours', () => {
  const old = batch({ queued: 1 }, { api: '', archive: '' });
  expect(diagnose(look({ batches: [old], workers: [worker()] })).findings).toEqual([]);
});
