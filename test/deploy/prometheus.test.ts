import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { itemsOf, startDeployment } from '../server/deployment.ts';
import { lintMetrics, promtool, startPrometheus } from './prometheus.ts';

const deploy = (path: string) => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

const dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).optional() })),
});
const alerts = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const alertTests = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
  ),
});

async function rules() {
  const { groups } = alerts.parse(parse(await readFile(deploy('prometheus/alerts.yml'), 'utf8')));
  return groups.flatMap((group) => group.rules);
}

test('the configuration and the alert rules are valid', async () => {
  // The file of the token is the reader's.
  await promtool('check', 'config', '--syntax-only', deploy('prometheus/prometheus.yml'));
  await promtool('check', 'rules', deploy('prometheus/alerts.yml'));
});

test('every alert fires when it should, and none on a fleet that works', async () => {
  await promtool('test', 'rules', deploy('prometheus/alerts.test.yml'));
  const { tests } = alertTests.parse(parse(await readFile(deploy('prometheus/alerts.test.yml'), 'utf8')));
  const cases = tests.flatMap((one) => one.alert_rule_test);
  const fired = new Set(cases.filter((one) => one.exp_alerts.length > 0).map((one) => one.alertname));
  expect(fired).toEqual(new Set((await rules()).map((rule) => rule.alert)));
});

test('a real Prometheus scrapes serve, and answers every query of the dashboard and of the alerts', async () => {
  const token = 'of-the-scraper-alone';
  const deployment = await startDeployment({ config: { SERVE_PASSWORD: 'open sesame', METRICS_TOKEN: token } });
  const prometheus = await startPrometheus(new URL(deployment.url).host, token);
  await deployment.addWorkers();
  // Rates need two scrapes with work between them.
  await deployment.enqueue('spring', itemsOf('spring', 10));
  await deployment.ended('spring');
  await vi.waitFor(async () => expect(await prometheus.seriesOf('flux_archived_seconds_count > 0')).toBe(1), {
    interval: 200,
  });
  const { panels } = dashboard.parse(JSON.parse(await readFile(deploy('grafana/dashboard.json'), 'utf8')));
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
  expect(queries.length).toBeGreaterThan(20);
  for (const { title, expr } of queries) {
    const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$batch', '.*');
    await vi.waitFor(async () => expect([title, await prometheus.seriesOf(query)]).not.toEqual([title, 0]), {
      interval: 250,
    });
  }
  // An alert that is quiet answers nothing: its metrics must be there all the same.
  // A scrape that comes too late on a busy machine leaves none until the next.
  for (const { expr } of await rules()) {
    await prometheus.seriesOf(expr);
    for (const [metric] of expr.matchAll(/\bflux_\w+/g)) {
      await vi.waitFor(async () => expect([metric, await prometheus.seriesOf(metric)]).not.toEqual([metric, 0]), {
        interval: 250,
      });
    }
  }
});

test('promtool reads all of /metrics, and finds no fault in what is ours', async () => {
  const { url } = await startDeployment();
  const complaints = await lintMetrics(await (await fetch(`${url}/metrics`)).text());
  // BullMQ's bullmq_job_count and some of prom-client's names break a convention.
  expect(complaints.filter((line) => !/^(bullmq_job_count|nodejs_active_\w+) /.test(line))).toEqual([]);
});
