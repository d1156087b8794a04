import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/services/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most tests wait for servers and processes; by default there would be one file at a time on two cores.
    maxWorkers: 2,
    // Runs under faults mostly wait.
    maxConcurrency: 8,
  },
});
