import { defineConfig } from 'vitest/config';

/** The tests that judge changes in the stages: submits, with a crash anywhere in them, on a real Redis. */
export default defineConfig({
  test: {
    isolate: false,
    include: ['test/stages/{submit*,repeated-task,give-up,record-aside}.test.ts'],
    globalSetup: ['test/services/global-setup.ts'],
    setupFiles: ['test/services/patience.ts', 'test/services/few-examples.ts'],
    testTimeout: 60_000,
  },
});
