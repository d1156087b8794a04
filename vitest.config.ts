import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { TEST_MS } from './test/services/limits.ts';
import { LongestFirst } from './test/services/longest-first.ts';

/** Neither Redis nor S3 nor our own processes: values in, values out. What is not named here or below is with the services. */
const PURE = [
  ...['callbacks', 'diagnosis', 'manifest', 'network', 'plan', 'starters', 'status', 'tables', 'text'].map(
    (folder) => `test/${folder}/**/*.test.ts`,
  ),
  'test/archive/{contact-sheet,embed,folder,image,open,records,segments-crash}.test.ts',
  'test/batch/{batch-look,counts,feed-ways}.test.ts',
  'test/commands/{results-flags,terminal}.test.ts',
  'test/{config,config-lanes}.test.ts',
  'test/deploy/{compose,kubernetes,systemd}.test.ts',
  'test/docs/{commands,markdown,troubleshooting}.test.ts',
  'test/doctor/check-clock.test.ts',
  'test/inbox/decisions.test.ts',
  'test/items/{charges,images,item-id,provider-list,reconcile,repeated-prompt,transitions}.test.ts',
  'test/money/{amount,balance,estimate,price-file}.test.ts',
  'test/progress/view.test.ts',
  'test/provider/{address-check,answer,envelope,outcomes,poll-outcome,public-lookup,retry-after,ssrf,url-check}.test.ts',
  'test/redis/url.test.ts',
  'test/release/**/*.test.ts',
  'test/results/{training,where}.test.ts',
  'test/simulator/{faults,random,rate-window}.test.ts',
  'test/stages/{poll-schedule,retry,storm-log}.test.ts',
  'test/wiring/closers.test.ts',
];

/**
 * What takes long, by itself or because it waits for something to be given up as dead, and what starts many processes to find what a
 * quick test finds nearly as well: `npm run test:long`.
 */
const LONG = [
  'test/faults/**/*.test.ts',
  'test/acceptance/{adopt,comfort,damaged,emptied,ends,fallback,faulty-images,figures,fleet,former-archive,hostile-images}.test.ts',
  'test/acceptance/{kill,last-words,late,log-format,mistakes,names,on-a-terminal,outage,output}.test.ts',
  'test/acceptance/{own-pictures-again,own-pictures-killed,own-pictures-memory,proxied,redis-user,redo,several-images,slow-start,stop,tables}.test.ts',
  'test/acceptance/{waiting,wrapped-images}.test.ts',
  'test/batch/{odd-manifests,other-route,plan-is-made}.test.ts',
  'test/deploy/prometheus.test.ts',
  'test/docs/pages.test.ts',
  'test/money/budget-run.test.ts',
  'test/redis/{cluster,cluster-down,sentinel-and-tls,settle}.test.ts',
  'test/results/gallery/page.test.ts',
  'test/server/called-polls.test.ts',
  'test/workers/{archive-lag,cost,takeover}.test.ts',
  'test/upgrade/**/*.test.ts',
  'test/library/{npx,package,two-routes}.test.ts',
  'test/inbox/kills.test.ts',
];

/**
 * Files share their processes, and with them what they import: a process for each file spends most of the run on loading
 * modules.
 */
const shared = {
  isolate: false,
  pool: 'forks' as const,
  // Most tests wait, for servers, processes and the times of the product: with four files at once two cores were idle for two fifths
  // of the run.
  maxWorkers: 6,
  // Runs under faults mostly wait.
  maxConcurrency: 8,
  testTimeout: TEST_MS,
  hookTimeout: TEST_MS,
  setupFiles: ['test/services/patience.ts'],
};

/**
 * GitHub's parser of workflows imports JSON as bundlers do and Node does not, and names source maps that it does not have.
 */
const ACTIONS_PARSER = /@actions\/.+\.js$/;
const actionsParser = {
  name: 'actions-parser',
  enforce: 'pre' as const,
  load: (id: string) => (ACTIONS_PARSER.test(id) ? { code: readFileSync(id, 'utf8'), map: { mappings: '' } } : null),
};

const globalSetup = ['test/services/global-setup.ts'];

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [actionsParser],
        test: { ...shared, name: 'pure', include: PURE, server: { deps: { inline: [ACTIONS_PARSER] } } },
      },
      {
        test: { ...shared, name: 'services', include: ['test/**/*.test.ts'], exclude: [...PURE, ...LONG], globalSetup },
      },
      { test: { ...shared, name: 'long', include: LONG, globalSetup } },
    ],
  },
});
