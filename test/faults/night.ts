import { expect, inject, onTestFinished } from 'vitest';
import type { Kind } from '../../src/diagnosis/finding.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { until } from '../acceptance/cli.ts';
import { accepted } from '../acceptance/ledger.ts';
import { openPlace, type Place, promptsFor } from '../acceptance/place.ts';
import { answerError, startProxy } from '../archive/s3-proxy.ts';
import { startRedis } from '../services/redis.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

type Stand = {
  place: Place;
  api: TcpProxy;
  redis: TcpProxy;
  archive: { refuse: (status: number, code: string) => void };
};
export type Cause = {
  kind: Kind;
  /** Who works on the batch. `run` may end for the cause; what it said stays. */
  who: 'run' | 'worker' | 'nobody';
  simulator?: SimulatorOptions;
  /** Of who works. */
  env?: Record<string, string>;
  /** Of everybody here. */
  settings?: Record<string, string>;
  args?: readonly string[];
  onS3?: true;
  /** After some items were submitted. */
  make?(stand: Stand): unknown;
  what: RegExp;
  remedy: RegExp;
  /** What the worker logs; absent where nobody works, or where a person did it and knows. */
  logs?: RegExp;
  readyz?: 503;
  /** The alert that fires while it lasts; absent where nobody is to be woken. */
  alert?: string;
};

/** A batch under way by real processes, and `serve` beside it. */
export async function startNight(cause: Cause) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await startTcpProxy(server.port);
  onTestFinished(() => redis.close());
  let refusal: { status: number; code: string } | undefined;
  const s3 =
    cause.onS3 &&
    (await startProxy(async ({ request, response, forward }) => {
      if (refusal && request.method === 'PUT') answerError(response, refusal.status, refusal.code);
      else await forward();
    }));
  const place = await openPlace(
    { onTestFinished },
    {
      pace: { max: 4, windowMs: 1_000 },
      simulator: { medianMs: 1_000, ...cause.simulator },
      env: { REDIS_URL: `redis://127.0.0.1:${redis.port}`, ...(s3 ? s3Variables(s3) : {}) },
    },
  );
  const api = await startTcpProxy(Number(new URL(place.simulator.url).port));
  onTestFinished(() => api.close());
  const apiVariables = { FLUX_API_URL: `http://127.0.0.1:${api.port}`, FETCH_ALLOW: new URL(place.simulator.url).host };
  Object.assign(place.env, apiVariables, cause.settings);
  const archive = {
    refuse: (status: number, code: string) => {
      refusal = { status, code };
    },
  };
  const manifest = await place.manifest('night', promptsFor(60));
  const env = { LOG_LEVEL: 'info', ...cause.env };
  if (cause.who !== 'run') await place.run(['enqueue', manifest, '--yes']);
  const args = cause.who === 'run' ? ['run', manifest, '--yes', ...(cause.args ?? [])] : ['worker'];
  const worker = cause.who === 'nobody' ? undefined : place.start(args, env);
  const serve = place.start(['serve', '--port', '0'], { LOG_LEVEL: 'info' });
  await until('it serves', () => /http:\/\/\S+/.test(serve.stderr()), { seen: serve.stderr });
  if (worker) await until('some are submitted', () => accepted(place) >= 3, { seen: worker.stderr });
  const [servedAt = ''] = /http:\/\/127\S+/.exec(serve.stderr()) ?? [];
  // As a browser and Prometheus have, before the night.
  expect((await fetch(`${servedAt}/metrics`)).status).toBe(200);
  return { stand: { place, api, redis, archive }, worker, servedAt };
}

function s3Variables(endpoint: string): Record<string, string> {
  const { accessKeyId, secretAccessKey } = inject('s3');
  return {
    ARCHIVE_URL: `s3://causes-${Date.now()}`,
    S3_ENDPOINT: endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: 'us-east-1',
  };
}
