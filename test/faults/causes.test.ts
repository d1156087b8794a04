import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Kind } from '../../src/diagnosis/finding.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { until } from '../acceptance/cli.ts';
import { promtool } from '../deploy/prometheus.ts';
import { type Cause, startNight } from './night.ts';

/**
 * What an operator is told who is called at night. Real processes: a run or a worker, `serve`, `status`; each cause is made, and each
 * face must name it and say what to do.
 */

const ALWAYS = (name: NonNullable<SimulatorOptions['faults']>[number]['name']) => ({ faults: [{ name, share: 1 }] });
const ALERTS = fileURLToPath(new URL('../../deploy/prometheus/alerts.yml', import.meta.url));
const SKEWED = fileURLToPath(new URL('skewed-clock.mjs', import.meta.url));

const CAUSES: readonly Cause[] = [
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
    remedy: /make space/,
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

describe.each(CAUSES)('$kind', (cause) => {
  test('is told by each face within half a minute, with what to do', async () => {
    const { stand, worker, servedAt } = await startNight(cause);
    const { place } = stand;
    await cause.make?.(stand);
    const begunAt = Date.now();
    const told = (text: string) => cause.what.test(text) && cause.remedy.test(text);

    let metrics = '';
    await until('the metrics have it', async () => {
      metrics = await textOf(`${servedAt}/metrics`);
      return isOne(metrics, cause.kind);
    });
    const measuredAt = Date.now();
    if (cause.alert !== undefined) await expectFiring(cause.alert, metrics);
    await until('the page tells it', async () => told(await textOf(servedAt)));
    await until('the page of the batch tells it', async () => told(await textOf(`${servedAt}/batches/night`)));
    const askedAt = Date.now();
    await until('status tells it', async () => {
      const { stdout, stderr } = await place.run(['status']);
      return told(stdout + stderr);
    });
    const allowedMs = WITHIN_MS * slowness(Date.now() - askedAt);
    expect(measuredAt - begunAt).toBeLessThan(allowedMs);
    const ready = await fetch(`${servedAt}/readyz`);
    if (cause.readyz) await until('it is not ready', async () => (await fetch(`${servedAt}/readyz`)).status === 503);
    else expect(ready.status).toBe(200);
    if (!worker) return;
    const seen = { seen: worker.stderr };
    if (cause.who === 'run') await until('run tells it', () => told(worker.stderr()), seen);
    const { logs } = cause;
    if (!logs) return;
    await until('the log tells it', () => loggedAt(worker.stderr(), logs) !== undefined, seen);
    expect((loggedAt(worker.stderr(), logs) ?? Number.POSITIVE_INFINITY) - begunAt).toBeLessThan(allowedMs);
  });
});

const WITHIN_MS = 30_000;
/** What `status` takes on a machine that has nothing else to do, processes started and all. */
const STATUS_MS = 1_000;

/** By how much this machine is slower just now than one that has nothing else to do. */
function slowness(statusMs: number): number {
  return Math.max(1, statusMs / STATUS_MS);
}

/** When the process itself says that it told it first, by its own clock; undefined before. Not all that it says is a log line. */
function loggedAt(stderr: string, logs: RegExp): number | undefined {
  const line = stderr.split('\n').find((one) => logs.test(one) && one.startsWith('{') && one.endsWith('}'));
  return line === undefined ? undefined : z.object({ time: z.number() }).parse(JSON.parse(line)).time;
}

/** Whether the alert fires when what was measured lasts: by Prometheus' own rules. */
async function expectFiring(alert: string, metrics: string): Promise<void> {
  const series = metrics.split('\n').flatMap((line) => {
    const [, name, of, value] =
      /^(flux_(finding|redis_up|submitting_stopped|limiter_\w+_total)\S*) (\S+)$/.exec(line) ?? [];
    // What was counted so far is counted again each time.
    return name === undefined
      ? []
      : [{ series: name, values: of?.endsWith('_total') ? `0+${value}x40` : `${value}x40` }];
  });
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-alerts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'rules.yml');
  const expr = `count(count by (alertname) (ALERTS{alertname="${alert}", alertstate="firing"}))`;
  const ask = { expr, eval_time: '9m', exp_samples: [{ labels: '{}', value: 1 }] };
  const tests = [{ interval: '15s', input_series: series, promql_expr_test: [ask] }];
  await writeFile(file, stringify({ rule_files: [ALERTS], evaluation_interval: '15s', tests }));
  await promtool('test', 'rules', file);
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

function isOne(metrics: string, kind: Kind): boolean {
  return metrics.split('\n').some((line) => line.startsWith(`flux_finding{kind="${kind}",`) && line.endsWith(' 1'));
}
