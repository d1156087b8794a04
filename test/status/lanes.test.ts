import { expect, test } from 'vitest';
import { ratesTogether } from '../../src/status/lanes.ts';
import { lane, use } from '../diagnosis/looked.ts';

const tripped = { refusal: 'out-of-credits', message: 'top up', since: 40_000 };
const withSent = (name: string, sent: number, windowMs = 10_000) => {
  const submit = use({ sent, refused: 1, inWindow: 5, windowMs });
  return lane(name, { rates: { submit, poll: use() } });
};

test('limits are those of the open lanes together, and what was counted is that of all: no sum falls when a lane closes', () => {
  const lanes = [withSent('main', 30), withSent('second', 12)];
  expect(ratesTogether(lanes)?.submit).toMatchObject({ limit: 40, inWindow: 10, sent: 42, refused: 2 });
  const [main, second] = lanes;
  if (!main || !second) throw new Error('no lanes');
  const closed = { ...second, breaker: tripped };
  expect(ratesTogether([main, closed])?.submit).toMatchObject({ limit: 20, inWindow: 5, sent: 42, refused: 2 });
  expect(ratesTogether([{ ...main, breaker: tripped }, closed])?.submit).toMatchObject({ sent: 42, refused: 2 });
  expect(ratesTogether([{ ...main, share: 0 }, second])?.submit).toMatchObject({ limit: 20, sent: 42 });
});

test('where windows differ the limits are those of the first, and the sums those of all', () => {
  const lanes = [withSent('main', 30), withSent('second', 12, 1_000)];
  expect(ratesTogether(lanes)?.submit).toMatchObject({ limit: 20, inWindow: 5, windowMs: 10_000, sent: 42 });
  expect(ratesTogether([])).toBeUndefined();
});
