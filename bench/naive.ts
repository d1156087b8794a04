import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type S3Service, startS3 } from '../test/services/s3.ts';
import type { Bench } from './bench.ts';
import { startSimulator, watched } from './children.ts';
import { percent, timed, times } from './measure.ts';
import { runBatch } from './run-cli.ts';

/** How many a script has under way: what the provider permits, and what a careful author would guess. */
const AT_ONCE = [100, 20];
const SIMULATOR = [
  ...['--rate', '20/10s', '--poll-rate', '10/1s', '--max-tasks', '100', '--latency', '40ms', '--jitter', '20ms'],
  ...['--pictures', 'plain', '--image-size', '768', '--image-bytes', '200000'],
];

type Outcome = { seconds: number; refusedSubmits: number; refusedPolls: number; polls: number };

/** The same batch by a script as people write it today, under the same limits, to the same bucket. */
export const naiveBench: Bench = {
  name: 'naive',
  waits: 'always',
  async run({ quick }) {
    const items = quick ? 20 : 200;
    const s3 = await startS3();
    try {
      // Side by side, each with a provider of its own: they wait nearly all of the time.
      const [ours, ...scripts] = await Promise.all([
        byUs(items, s3),
        ...AT_ONCE.map((atOnce) => byScript(items, atOnce, s3)),
      ]);
      const rows = scripts.map((script, index) => {
        const refusals = script.refusedSubmits + script.refusedPolls;
        const share = (ours.refusedSubmits + ours.refusedPolls) / refusals;
        const isFaster = ours.seconds <= script.seconds;
        return {
          what: `${items} items against a script of today, ${AT_ONCE[index]} at once`,
          target: '≤ its time, 429s ≤ 1 %',
          measured: `${times(ours.seconds / script.seconds)} (${ours.seconds.toFixed(0)} of ${script.seconds.toFixed(0)} s); 429s ${ours.refusedSubmits + ours.refusedPolls} of ${refusals}${refusals > 0 ? ` (${percent(share)})` : ''}`,
          met: isFaster && (refusals === 0 ? share !== Number.POSITIVE_INFINITY : share <= 0.01),
        };
      });
      return { rows, data: { items, ours, scripts } };
    } finally {
      await s3.stop();
    }
  },
};

async function byUs(items: number, s3: S3Service): Promise<Outcome> {
  const simulator = await startSimulator(SIMULATOR);
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  const ms = await runBatch(folder, items, {
    ...credentialsOf(s3),
    FLUX_API_URL: simulator.url,
    FLUX_API_KEY: simulator.apiKey,
    ARCHIVE_URL: 's3://ours',
    S3_ENDPOINT: s3.endpoint,
  });
  await rm(folder, { recursive: true, force: true });
  return outcomeOf(simulator, ms);
}

async function byScript(items: number, atOnce: number, s3: S3Service): Promise<Outcome> {
  const simulator = await startSimulator(SIMULATOR);
  const script = fileURLToPath(new URL('naive-script.js', import.meta.url));
  const bucket = `script-${atOnce}`;
  await createBucket(bucket, s3);
  const child = watched(
    spawn(process.execPath, [script], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        ...credentialsOf(s3),
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        API_URL: simulator.url,
        API_KEY: simulator.apiKey,
        S3_ENDPOINT: s3.endpoint,
        BUCKET: bucket,
        ITEMS: String(items),
        AT_ONCE: String(atOnce),
      },
    }),
  );
  const { ms, result } = await timed(() => once(child, 'exit'));
  if (result[0] !== 0) throw new Error(`the script ended with ${result[0]}`);
  return outcomeOf(simulator, ms);
}

async function outcomeOf(simulator: Awaited<ReturnType<typeof startSimulator>>, ms: number): Promise<Outcome> {
  const { refused429, polls } = await simulator.summary();
  await simulator.stop();
  return { seconds: ms / 1_000, refusedSubmits: refused429.submits, refusedPolls: refused429.polls, polls };
}

async function createBucket(name: string, { endpoint, accessKeyId, secretAccessKey }: S3Service): Promise<void> {
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
}

function credentialsOf({ accessKeyId, secretAccessKey }: S3Service): NodeJS.ProcessEnv {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_CA_BUNDLE: undefined };
}
