import { expect, test } from 'vitest';
import { spread } from '../../src/diagnosis/planned.ts';
import { describeTime, isByRateAlone } from '../../src/plan/describe-time.ts';
import { timeOf } from '../../src/plan/time.ts';
import type { Lane } from '../../src/settings/lanes.ts';

const limitNames = { rate: 'FLUX_RATE_LIMIT', polls: 'FLUX_POLL_LIMIT', tasks: 'FLUX_MAX_TASKS' };

function lane(name: string, changes: Partial<Lane> = {}): Lane {
  return {
    ...{ name, vendor: 'kie', keyVariable: `${name.toUpperCase()}_KEY`, apiKey: 'key', webhookKey: undefined },
    ...{ rateLimit: { max: 20, windowMs: 10_000 }, pollLimit: { max: 10, windowMs: 1_000 }, maxTasks: 100 },
    ...{ limitNames, share: 1, isFirst: false, isNamed: true },
    ...changes,
  };
}
/** As without FLUX_LANES, and without a key. */
const KIE = lane('kie', { isFirst: true, isNamed: false, apiKey: undefined });
const atBfl = { vendor: 'bfl', rateLimit: { max: 10, windowMs: 1_000 }, maxTasks: 24 } as const;
const BFL = lane('bfl', { ...atBfl, isFirst: true, isNamed: false, apiKey: undefined });
const [MAIN, SECOND] = [lane('main'), lane('second')];
const PRO = 'flux-kontext-pro';
const MAX_AT_BFL = 'bfl/flux-kontext-max';
const EITHER = `${PRO} or bfl/${PRO}`;

const told = (byKind: Record<string, number>, ...lanes: Lane[]) => describeTime(timeOf(byKind, lanes));

test('the one account that there is without lanes is told by its rate', () => {
  expect(told({ [PRO]: 100 }, KIE, BFL)).toEqual(['about 1m 16s: 40s to submit at 20/10s, then the last task']);
  expect(told({ [PRO]: 12, 'kie-jobs/nano-banana-2?resolution=2K': 4 }, KIE, BFL)).toEqual([
    'about 33.5s: all submitted at once at 20/10s, then the last task',
  ]);
  const few = timeOf({ [PRO]: 100 }, [{ ...KIE, maxTasks: 2 }, BFL]);
  expect(few).toMatchObject({ submitMs: 40_000, isByRate: true });
  expect(isByRateAlone(few)).toBe(true);
});

test('accounts of one provider submit together', () => {
  const both = [MAIN, SECOND, BFL];
  expect(timeOf({ [PRO]: 200 }, both)).toMatchObject({ submitMs: 40_000, isByRate: false });
  expect(timeOf({ [PRO]: 200 }, [MAIN, BFL]).submitMs).toBe(90_000);
  expect(told({ [PRO]: 200 }, ...both)).toEqual([
    'about 1m 21s: 40s to submit in 2 accounts, then the last task',
    'main 20/10s, second 20/10s',
  ]);
  expect(told({ [PRO]: 200 }, MAIN, BFL)).toEqual(['about 2m 06s: 1m 30s to submit at 20/10s, then the last task']);
});

test('accounts that submit at other rates get other parts of it', () => {
  const slow = lane('slow', { rateLimit: { max: 5, windowMs: 10_000 } });
  // 25 at once, and 25 every ten seconds.
  expect(timeOf({ [PRO]: 100 }, [MAIN, slow])).toMatchObject({
    submitMs: 30_000,
    vendors: [
      {
        loads: [
          { name: 'main', items: 80 },
          { name: 'slow', items: 20 },
        ],
      },
    ],
  });
});

test('an account that begins nothing is not counted, nor one that has no key here while another has', () => {
  const idle = lane('idle', { share: 0 });
  expect(timeOf({ [PRO]: 200 }, [MAIN, idle]).submitMs).toBe(90_000);
  const keyless = { ...SECOND, apiKey: undefined };
  expect(told({ [PRO]: 200 }, MAIN, keyless)).toEqual([
    'about 2m 06s: 1m 30s to submit at 20/10s, then the last task',
    'not counted: second (SECOND_KEY is not set)',
  ]);
  // Who has none at all only plans.
  expect(timeOf({ [PRO]: 200 }, [{ ...MAIN, apiKey: undefined }, keyless]).submitMs).toBe(40_000);
  expect(told({ [PRO]: 200 }, idle, BFL)).toEqual([
    'never at kie: each of its accounts has share: 0 and begins nothing',
  ]);
});

test('where the tasks at once decide it is said by how long a task takes', () => {
  expect(told({ 'bfl/flux-2-pro?images=1': 120 }, KIE, BFL)).toEqual([
    'about 1m 40s if a task takes 15s: 24 tasks at once',
  ]);
  expect(told({ 'bfl/flux-2-pro': 20 }, KIE, BFL)).toEqual(['about 35.4s: 1s to submit at 10/1s, then the last task']);
  expect(told({ [PRO]: 90 }, MAIN, lane('small', { maxTasks: 5 }))).toEqual([
    'about 1m 07s if a task takes 15s: in 2 accounts',
    'main 20/10s, small 5 tasks at once',
  ]);
});

test('a model with fewer tasks at once than its account decides where it takes longer than all together', () => {
  expect(told({ [MAX_AT_BFL]: 60, 'bfl/flux-2-pro': 60 }, KIE, BFL)).toEqual([
    'about 3m 00s if a task takes 15s: 6 of flux-kontext-max at once',
  ]);
  expect(told({ [MAX_AT_BFL]: 6, 'bfl/flux-2-pro': 120 }, KIE, BFL)[0]).toContain('24 tasks at once');
});

test('polls decide where they are the slowest', () => {
  const unasked = lane('unasked', { pollLimit: { max: 1, windowMs: 2_000 } });
  expect(told({ [PRO]: 100 }, unasked)).toEqual(['about 3m 19s: polls at 1/2s']);
});

test('providers work side by side, and the slower one decides', () => {
  const mixed = { [PRO]: 40, 'bfl/flux-2-pro': 120 };
  expect(told(mixed, KIE, BFL)).toEqual([
    'about 1m 40s: kie and bfl side by side',
    'kie about 46.1s: 10s to submit at 20/10s, then the last task',
    'bfl about 1m 40s if a task takes 15s: 24 tasks at once',
  ]);
  expect(timeOf(mixed, [KIE, BFL]).submitMs).toBe(timeOf({ 'bfl/flux-2-pro': 120 }, [KIE, BFL]).submitMs);
});

test('what several providers may make is counted at the first, which makes all of it while it is open', () => {
  const plain = told({ [PRO]: 400 }, KIE, BFL);
  expect(told({ [EITHER]: 400 }, KIE, BFL)).toEqual([...plain, 'about 5m 05s if all that may go to bfl does']);
  // Where that is no slower, there is nothing to add.
  const quick = lane('quick', { ...atBfl, maxTasks: 400, apiKey: undefined });
  expect(told({ [EITHER]: 400 }, KIE, quick)).toEqual(plain);
  // A process without the key of the first sends all to the next.
  expect(told({ [EITHER]: 400 }, KIE, { ...BFL, apiKey: 'key' })).toEqual(told({ [`bfl/${PRO}`]: 400 }, KIE, BFL));
  expect(isByRateAlone(timeOf({ [EITHER]: 400 }, [KIE, BFL]))).toBe(false);
});

test('of many accounts only the first are named', () => {
  const many = Array.from({ length: 6 }, (_, index) => lane(`a${index}`));
  expect(told({ [PRO]: 1_200 }, ...many)[1]).toBe('a0 20/10s, a1 20/10s, a2 20/10s, a3 20/10s, and 2 more');
});

test('all items are spread over the accounts, so that their last submits go out at about the same time', () => {
  const limits = (max: number, maxTasks: number) => ({
    ...{ rateLimit: { max, windowMs: 10_000 }, pollLimit: { max: 10, windowMs: 1_000 }, maxTasks },
  });
  expect(spread(0, [limits(20, 100)])).toEqual([0]);
  expect(spread(7, [])).toEqual([]);
  expect(spread(10, [limits(20, 100), limits(20, 100)])).toEqual([5, 5]);
  expect(spread(50, [limits(20, 100), limits(20, 100)])).toEqual([25, 25]);
  for (const items of [1, 3, 26, 101, 9_999]) {
    const counts = spread(items, [limits(20, 100), limits(7, 3), limits(1, 50)]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(items);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(0);
  }
});
