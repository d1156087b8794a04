import { expect, test } from 'vitest';
import { emptyCounts, outlookOf } from '../../src/batch/counts.ts';

const OUT_OF_CREDITS = { refusal: 'out-of-credits', message: 'none left', since: 0 };

test.each(['submitting', 'submitted', 'finished'] as const)(
  'a batch that nothing can be submitted of is not stopped while an item is %s',
  (state) => {
    const counts = emptyCounts('spring');
    const [waiting, underWay] = [
      { ...counts.items, queued: 3 },
      { ...counts.items, queued: 3, [state]: 1 },
    ];
    expect(outlookOf({ ...counts, sealed: true, total: 4, items: underWay }, OUT_OF_CREDITS, undefined)).toBe(
      'running',
    );
    expect(outlookOf({ ...counts, sealed: true, total: 3, items: waiting }, OUT_OF_CREDITS, undefined)).toBe('stopped');
  },
);
