import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import type { Cause } from './night.ts';

const ALWAYS = (name: NonNullable<SimulatorOptions['faults']>[number]['name']) => ({ faults: [{ name, share: 1 }] });
const SKEWED = fileURLToPath(new URL('skewed-clock.mjs', import.meta.url));

/** What an operator is called at night for: how each is made, and what must be told of it. */
export const CAUSES: readonly Cause[] = [
  {
    kind: 'api-unreachable',
    alert: 'FluxSubmittingStopped',
    who: 'run',
    make: ({ api }) => api.set({ kind: 'refused' }),
    what: /submitting is stopped \(unreachable\)/,
    remedy: /nothing is lost/,
    logs: /"refusal":"unreachable"/,
  },
  {
    kind: 'key-refused',
    alert: 'FluxSubmittingStopped',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '401', share: 1 }]),
    what: /submitting is stopped \(unauthorized\)/,
    remedy: /check FLUX_API_KEY/,
    logs: /"refusal":"unauthorized"/,
  },
  {
    kind: 'out-of-credits',
    alert: 'FluxSubmittingStopped',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '402', share: 1 }]),
    what: /submitting is stopped \(out-of-credits\)/,
    remedy: /top it up/,
    logs: /"refusal":"out-of-credits"/,
  },
  {
    kind: 'api-maintenance',
    alert: 'FluxSubmittingStopped',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '455', share: 1 }]),
    what: /submitting is stopped \(maintenance\)/,
    remedy: /gets through/,
    logs: /"refusal":"maintenance"/,
  },
  {
    kind: 'too-many-unknown',
    alert: 'FluxSubmittingStopped',
    who: 'run',
    simulator: ALWAYS('reset-after-accept'),
    what: /submitting is stopped \(too-many-unknown\)/,
    remedy: /flux-batch held/,
    logs: /"refusal":"too-many-unknown"/,
  },
  {
    kind: 'rate-refused',
    alert: 'FluxRateRefused',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '429-storm', share: 1 }]),
    what: /refuses submits for their rate \(429\)/,
    remedy: /another program.*FLUX_RATE_LIMIT/,
    logs: /429/,
  },
  {
    kind: 'poll-unanswered',
    alert: 'FluxHeldUp',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: 'poll-500', share: 1 }]),
    what: /waiting for answers of the API/,
    remedy: /FLUX_API_URL/,
    logs: /polls not answered/,
  },
  {
    kind: 'images-unreachable',
    who: 'run',
    simulator: ALWAYS('image-500'),
    what: /waiting for the images' host|waiting for the images&#39; host/,
    remedy: /FETCH_ALLOW/,
    logs: /image not had yet/,
  },
  {
    kind: 'redis-unreachable',
    alert: 'FluxRedisAway',
    who: 'run',
    make: ({ redis }) => redis.set({ kind: 'refused' }),
    what: /waiting for Redis|Redis does not answer/,
    remedy: /REDIS_URL/,
    logs: /"kind":"redis-unreachable".*"remedy"/,
    readyz: 503,
  },
  {
    kind: 'archive-denied',
    alert: 'FluxHeldUp',
    who: 'worker',
    async make({ place }) {
      await rename(join(place.folder, 'archive'), join(place.folder, 'elsewhere'));
      await writeFile(join(place.folder, 'archive'), 'a file where a folder was');
    },
    what: /the archive, which refuses to store/,
    remedy: /ARCHIVE_URL/,
    logs: /archive/,
    readyz: 503,
  },
  {
    kind: 'archive-full',
    alert: 'FluxHeldUp',
    who: 'worker',
    onS3: true,
    make: ({ archive }) => archive.refuse(507, 'InsufficientStorage'),
    what: /waiting for space in the archive/,
    remedy: /free some space/,
    logs: /archive/,
    readyz: 503,
  },
  {
    kind: 'archive-unreachable',
    alert: 'FluxHeldUp',
    who: 'run',
    onS3: true,
    make: ({ archive }) => archive.refuse(500, 'InternalError'),
    what: /waiting for the archive/,
    remedy: /S3_ENDPOINT/,
    readyz: 503,
  },
  {
    kind: 'poll-rate',
    who: 'run',
    settings: { FLUX_POLL_LIMIT: '2/1s' },
    what: /polls wait for the poll limit/,
    remedy: /FLUX_POLL_LIMIT.*FLUX_CALLBACK_URL/,
    logs: /"kind":"poll-rate".*"remedy"/,
  },
  {
    kind: 'callbacks-away',
    who: 'run',
    // Nobody listens there.
    settings: { FLUX_CALLBACK_URL: 'http://127.0.0.1:9' },
    what: /callbacks of kie stay away/,
    remedy: /FLUX_CALLBACK_URL.*flux-batch doctor/,
    logs: /"kind":"callbacks-away".*"remedy"/,
  },
  {
    kind: 'no-worker',
    alert: 'FluxHeldUp',
    who: 'nobody',
    what: /no worker runs/,
    remedy: /flux-batch worker starts one/,
  },
  {
    kind: 'paused',
    who: 'run',
    make: ({ place }) => place.run(['pause', 'night']),
    what: /night is paused/,
    remedy: /flux-batch resume night/,
  },
  {
    kind: 'out-of-budget',
    who: 'run',
    args: ['--budget', '40'],
    what: /out of budget/,
    remedy: /--budget \d+/,
  },
  {
    kind: 'clock-skew',
    who: 'worker',
    env: { NODE_OPTIONS: `--import ${SKEWED}`, CLOCK_SKEW_MS: '-600000' },
    what: /the clock of .* is 10m 00s slow/,
    remedy: /NTP/,
  },
];
