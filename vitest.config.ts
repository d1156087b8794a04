import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/services/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most tests wait for servers and processes, so more files than cores go at once.
    maxWorkers: 3,
    // Runs under faults mostly wait.
    maxConcurrency: 8,
  },
});
