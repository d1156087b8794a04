import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Kind } from '../../src/diagnosis/finding.ts';
import { until } from '../acceptance/cli.ts';
import { promtool } from '../deploy/prometheus.ts';
import { CAUSES } from './causes.ts';
import { startNight } from './night.ts';

/**
 * What an operator is told who is called at night. Real processes: a run or a worker, `serve`, `status`; each cause is made, and each
 * face must name it and say what to do.
 */

const ALERTS = fileURLToPath(new URL('../../deploy/prometheus/alerts.yml', import.meta.url));

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
      /^(flux_(finding|redis_up|submitting_stopped|(?:limiter|lane)_\w+_total)\S*) (\S+)$/.exec(line) ?? [];
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
