import { test } from 'vitest';

/** FAULTS=long: everything, and the mixed run in ten seeds of 300 items; else what fits into CI. */
export const isLong = process.env.FAULTS === 'long';

/** For what a bounded run leaves out. */
export const inLong = (name: string, body: () => Promise<void>) =>
  test(name, async (context) => {
    if (!isLong) context.skip('FAULTS=long runs it');
    await body();
  });
