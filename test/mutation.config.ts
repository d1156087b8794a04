import { defineConfig } from 'vitest/config';

/** The tests that `npm run test:mutation` judges by: of values alone, with few imports, so that each of many hundred runs takes moments. */
export default defineConfig({
  test: {
    isolate: false,
    include: [
      'test/batch/counts.test.ts',
      'test/items/{charges,item-id,reconcile,transitions}.test.ts',
      'test/money/{balance,estimate}.test.ts',
      'test/provider/{address-check,answer,envelope,outcomes,poll-outcome,retry-after,url-check}.test.ts',
      'test/stages/{poll-schedule,retry}.test.ts',
    ],
    setupFiles: ['test/services/few-examples.ts'],
    testTimeout: 60_000,
  },
});
