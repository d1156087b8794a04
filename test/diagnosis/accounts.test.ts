import { describe, expect, test } from 'vitest';
import { ratesOfAll, tasksOfAll } from '../../src/diagnosis/accounts.ts';
import { diagnose } from '../../src/diagnosis/diagnose.ts';
import type { LaneLook, Snapshot } from '../../src/diagnosis/snapshot.ts';
import { batch, lane, look, NONE, use } from './looked.ts';

const BUSY = [batch({ queued: 60, submitted: 20, archived: 20 })];
const { rates, queues } = look();
const told = (changes: Partial<Snapshot>) =>
  diagnose(look({ batches: BUSY, ...changes })).findings.map(({ kind, what, remedy, lane }) => [
    kind,
    lane,
    what,
    remedy,
  ]);

test('an account that is refused for its rate is told by its name, with its limit in the file of lanes', () => {
  const submit = use({ refused: 12, refusedAt: 90_000, limit: 12 });
  const poll = use({ refused: 1, refusedAt: 90_000 });
  expect(told({ lanes: [lane('main'), lane('second', { rates: { submit, poll } })] })).toEqual([
    [
      ...['rate-refused', 'second'],
      'second: the provider refuses submits for their rate (429): 12 so far; the limit in force is 12 of 20 in 10s',
      'does another program use this account? Else lower rate of lane second in lanes.yaml',
    ],
    [
      ...['rate-refused', 'second'],
      'second: the provider refuses polls for their rate (429): 1 so far',
      'does another program use this account? Else lower polls of lane second in lanes.yaml',
    ],
  ]);
});

test('the account at BFL is told of without a file of lanes, by its own variables', () => {
  const limitNames = { rate: 'BFL_RATE_LIMIT', polls: 'BFL_POLL_LIMIT', tasks: 'BFL_MAX_TASKS' };
  const bfl = lane('bfl', {
    ...{ vendor: 'bfl', isNamed: false, limitNames },
    rates: { ...rates, submit: use({ refused: 1, refusedAt: 90_000 }) },
  });
  expect(told({ lanes: [lane('kie', { isNamed: false }), bfl] })).toMatchObject([
    ['rate-refused', 'bfl', expect.stringMatching(/^bfl: /), expect.stringMatching(/lower BFL_RATE_LIMIT$/)],
  ]);
});

test('polls that wait for the limit of one account name that account', () => {
  const late = { ...queues, poll: { ...NONE, waiting: 77, lateMs: 30_000, oldestMs: 30_000 } };
  const full = lane('direct', { rates: { ...rates, poll: use({ inWindow: 20 }) } });
  expect(told({ queues: late, lanes: [lane('main'), full] })).toMatchObject([
    [
      ...['poll-rate', 'direct'],
      expect.stringMatching(/^direct: polls wait for the poll limit: 20 of 20 in 10s/),
      expect.stringMatching(/^a larger polls of lane direct in lanes\.yaml/),
    ],
  ]);
});

test('the pace is what the limits of the accounts permit that take what waits, each by its name, and what a person may change', () => {
  const full = { tasks: { running: 24, most: 24 } };
  const of = (...lanes: LaneLook[]) => diagnose(look({ batches: BUSY, lanes })).bottleneck;
  expect(of(lane('main'), lane('direct', full), lane('idle', { waiting: 0 }))).toMatchObject({
    kind: 'submit-rate',
    what: 'submits go out as the limits of the accounts permit: main 0 of 20 in 10s, direct 24 of 24 tasks',
    remedy: expect.stringMatching(/rate of lane main in lanes\.yaml, rate of lane direct in lanes\.yaml, where/),
  });
  expect(of(lane('main', { share: 0 }), lane('direct', full))).toMatchObject({
    kind: 'task-limit',
    what: 'as many tasks run as the accounts permit: direct 24 of 24 tasks',
    remedy: expect.stringMatching(/concurrency of lane direct in lanes\.yaml/),
  });
  const lowered = { rates: { ...rates, submit: use({ limit: 12, refused: 1, inWindow: 12 }) } };
  expect(of(lane('main'), lane('second', lowered))?.what).toMatch(/main 0 of 20 in 10s, second 12 of 12 in 10s$/);
  expect(of(lane('main', lowered))?.kind).toBe('rate-refused');
  // FLUX_LANES may name one account only.
  expect(of(lane('main'))?.remedy).toMatch(/rate of lane main in lanes\.yaml/);
});

test('what several may make is paced by the accounts of the first that takes anything', () => {
  const limitNames = { rate: 'BFL_RATE_LIMIT', polls: 'BFL_POLL_LIMIT', tasks: 'BFL_MAX_TASKS' };
  const bfl = lane('bfl', { ...{ vendor: 'bfl', isNamed: false, waiting: 0, limitNames } });
  const kie = lane('kie', { isNamed: false, waiting: 0 });
  const breaker = { refusal: 'unreachable', message: 'no answer', since: 0 };
  const of = (...lanes: LaneLook[]) => diagnose(look({ batches: BUSY, waitingForEither: 60, lanes })).bottleneck;
  expect(of({ ...kie, breaker }, bfl)).toMatchObject({
    kind: 'submit-rate',
    what: expect.stringMatching(/permit: bfl \d/),
    remedy: expect.stringContaining('BFL_RATE_LIMIT'),
  });
  expect(of(kie, bfl)).toMatchObject({ what: expect.stringMatching(/permit: kie \d/) });
});

describe('the accounts together', () => {
  const submits = (changes: Parameters<typeof use>[0]) => ({ rates: { ...rates, submit: use(changes) } });
  const direct = lane('direct', {
    ...submits({ inWindow: 3, limit: 10, configured: 10, windowMs: 1_000, sent: 9 }),
    ...{ vendor: 'bfl', tasks: { running: 5, most: 24 } },
  });
  const breaker = { refusal: 'unauthorized', message: 'no', since: 0 };

  test('are counted in one figure for each length of window', () => {
    const lanes = [
      lane('main', submits({ inWindow: 5, sent: 50 })),
      lane('second', submits({ inWindow: 7, sent: 20 })),
    ];
    expect(ratesOfAll(look({ lanes: [...lanes, direct] }), 'submit')).toMatchObject([
      { inWindow: 12, limit: 40, configured: 40, windowMs: 10_000, sent: 70 },
      { inWindow: 3, limit: 10, configured: 10, windowMs: 1_000, sent: 9 },
    ]);
    expect(ratesOfAll(look({ lanes: [...lanes, direct] }), 'poll')).toMatchObject([{ limit: 30 }]);
  });

  test('have the limits of those that are open, and what all of them have sent', () => {
    const closed = lane('second', { ...submits({ inWindow: 7, sent: 20, refused: 2 }), breaker });
    const main = lane('main', submits({ inWindow: 5, sent: 50, refused: 1 }));
    const together = { inWindow: 5, limit: 20, sent: 70, refused: 3 };
    expect(ratesOfAll(look({ lanes: [main, closed] }), 'submit')).toMatchObject([together]);
    expect(ratesOfAll(look({ lanes: [main, { ...closed, breaker: null, share: 0 }] }), 'submit')).toMatchObject([
      together,
    ]);
    expect(ratesOfAll(look({ lanes: [{ ...main, breaker }, closed] }), 'submit')).toMatchObject([
      { limit: 40, sent: 70 },
    ]);
  });

  test('pause while each of them does', () => {
    const paused = lane('second', submits({ pausedMs: 3_000 }));
    expect(ratesOfAll(look({ lanes: [lane('main'), paused] }), 'submit')).toMatchObject([{ pausedMs: 0 }]);
    expect(ratesOfAll(look({ lanes: [lane('main', submits({ pausedMs: 1_000 })), paused] }), 'submit')).toMatchObject([
      { pausedMs: 1_000 },
    ]);
  });

  test('run as many tasks as all that begin any permit', () => {
    const tasks = { ...look().tasks, running: 30 };
    const idle = lane('idle', { share: 0 });
    expect(tasksOfAll(look({ tasks, lanes: [lane('main'), direct, idle] }))).toEqual({ running: 30, most: 124 });
  });

  test('are the one account where there is no other', () => {
    const seen = look({ lanes: [lane('main')] });
    expect(ratesOfAll(seen, 'submit')).toEqual([seen.rates.submit]);
    expect(tasksOfAll(seen)).toBe(seen.tasks);
  });
});
