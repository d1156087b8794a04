import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';

const INSTALL = 'The tests of deploy/ run on a real Prometheus: apt-get install -y --no-install-recommends prometheus';

/** Runs to its end; rejects with what it said unless that is a success. */
export async function promtool(...args: string[]): Promise<string> {
  const child = spawn('promtool', args);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const [status] = await once(child, 'close').catch(() => Promise.reject(new Error(INSTALL)));
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}:\n${said}`);
  return said;
}

/** The lines in which promtool finds fault with an exposition, one that it cannot read included. */
export async function lintMetrics(text: string): Promise<string[]> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece) => {
    said += piece;
  });
  await once(child, 'spawn').catch(() => Promise.reject(new Error(INSTALL)));
  child.stdin.end(text);
  await once(child, 'close');
  return said.split('\n').filter((line) => line !== '');
}

const targets = z.object({
  data: z.object({ activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })) }),
});
const answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z.object({ result: z.array(z.unknown()) }).optional(),
});

/** A real Prometheus that scrapes `target` each half second by a bearer token, as long as the test lives. */
export async function startPrometheus(target: string, token: string) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-prometheus-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const port = await freePort();
  const job = {
    job_name: 'flux-batch',
    authorization: { credentials: token },
    static_configs: [{ targets: [target] }],
  };
  const config = join(folder, 'prometheus.yml');
  await writeFile(
    config,
    stringify({ global: { scrape_interval: '500ms', scrape_timeout: '500ms' }, scrape_configs: [job] }),
  );
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn('prometheus', [...flags, '--log.level=warn'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  await once(child, 'spawn').catch(() => Promise.reject(new Error(INSTALL)));
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });

  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
  await vi.waitFor(
    async () => {
      const [scraped] = targets.parse(await get('/api/v1/targets')).data.activeTargets;
      if (scraped?.health !== 'up') throw new Error(`not scraped yet: ${scraped?.lastError ?? ''} ${said}`);
    },
    { interval: 100 },
  );
  return {
    /** How many series a query answers with; throws what Prometheus has against it. */
    async seriesOf(query: string): Promise<number> {
      const { status, error, data } = answer.parse(await get(`/api/v1/query?query=${encodeURIComponent(query)}`));
      if (status !== 'success' || !data) throw new Error(`${query}: ${error}`);
      return data.result.length;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
