import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Kind } from '../../src/diagnosis/finding.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { until } from '../acceptance/cli.ts';
import { type Cause, startNight } from './night.ts';

/**
 * What an operator is told who is called at night. Real processes: a run or a worker, `serve`, `status`; each cause is made, and each
 * face must name it and say what to do.
 */

const ALWAYS = (name: NonNullable<SimulatorOptions['faults']>[number]['name']) => ({ faults: [{ name, share: 1 }] });
const SKEWED = fileURLToPath(new URL('skewed-clock.mjs', import.meta.url));

const CAUSES: readonly Cause[] = [
  {
    kind: 'api-unreachable',
    who: 'run',
    make: ({ api }) => api.set({ kind: 'refused' }),
    what: /submitting is stopped \(unreachable\)/,
    remedy: /nothing is lost/,
    logs: /"refusal":"unreachable"/,
  },
  {
    kind: 'key-refused',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '401', share: 1 }]),
    what: /submitting is stopped \(unauthorized\)/,
    remedy: /check FLUX_API_KEY/,
    logs: /"refusal":"unauthorized"/,
  },
  {
    kind: 'out-of-credits',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '402', share: 1 }]),
    what: /submitting is stopped \(out-of-credits\)/,
    remedy: /top it up/,
    logs: /"refusal":"out-of-credits"/,
  },
  {
    kind: 'api-maintenance',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '455', share: 1 }]),
    what: /submitting is stopped \(maintenance\)/,
    remedy: /gets through/,
    logs: /"refusal":"maintenance"/,
  },
  {
    kind: 'too-many-unknown',
    who: 'run',
    simulator: ALWAYS('reset-after-accept'),
    what: /submitting is stopped \(too-many-unknown\)/,
    remedy: /flux-batch held/,
    logs: /"refusal":"too-many-unknown"/,
  },
  {
    kind: 'rate-refused',
    who: 'run',
    make: ({ place }) => place.simulator.setFaults([{ name: '429-storm', share: 1 }]),
    what: /refuses submits for their rate \(429\)/,
    remedy: /another program.*FLUX_RATE_LIMIT/,
    logs: /429/,
  },
  {
    kind: 'poll-unanswered',
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
    who: 'run',
    make: ({ redis }) => redis.set({ kind: 'refused' }),
    what: /waiting for Redis|Redis does not answer/,
    remedy: /REDIS_URL/,
    logs: /"kind":"redis-unreachable".*"remedy"/,
    readyz: 503,
  },
  {
    kind: 'archive-denied',
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
    who: 'worker',
    onS3: true,
    make: ({ archive }) => archive.refuse(507, 'InsufficientStorage'),
    what: /waiting for space in the archive/,
    remedy: /make space/,
    logs: /archive/,
    readyz: 503,
  },
  {
    kind: 'archive-unreachable',
    who: 'run',
    onS3: true,
    make: ({ archive }) => archive.refuse(500, 'InternalError'),
    what: /waiting for the archive/,
    remedy: /S3_ENDPOINT/,
    readyz: 503,
  },
  { kind: 'no-worker', who: 'nobody', what: /no worker runs/, remedy: /flux-batch worker starts one/ },
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

describe.each(CAUSES)('$kind', (cause) => {
  test('is told by each face, with what to do', async () => {
    const { stand, worker, servedAt } = await startNight(cause);
    const { place } = stand;
    await cause.make?.(stand);
    const told = (text: string) => cause.what.test(text) && cause.remedy.test(text);

    await until('the metrics have it', async () => isOne(await textOf(`${servedAt}/metrics`), cause.kind));
    await until('the page tells it', async () => told(await textOf(servedAt)));
    await until('status tells it', async () => {
      const { stdout, stderr } = await place.run(['status']);
      return told(stdout + stderr);
    });
    const ready = await fetch(`${servedAt}/readyz`);
    if (cause.readyz) await until('it is not ready', async () => (await fetch(`${servedAt}/readyz`)).status === 503);
    else expect(ready.status).toBe(200);
    if (!worker) return;
    const seen = { seen: worker.stderr };
    if (cause.who === 'run') await until('run tells it', () => told(worker.stderr()), seen);
    const { logs } = cause;
    if (logs) await until('the log tells it', () => logs.test(worker.stderr()), seen);
  });
});

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

function isOne(metrics: string, kind: Kind): boolean {
  return metrics.split('\n').some((line) => line.startsWith(`flux_finding{kind="${kind}",`) && line.endsWith(' 1'));
}
