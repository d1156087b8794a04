import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rclone } from './archive.ts';
import type { ArchiverInput, ArchiverResult } from './archiver.ts';
import type { Build } from './build.ts';
import type { FleetInput, FleetResult } from './fleet-member.ts';
import { timed } from './measure.ts';
import { runBare as runBareChain } from './orchestration.ts';
import { watchRedis } from './redis-stats.ts';

const BATCH = 'bench';
const MODEL = 'flux-kontext-pro';
const AT_ONCE = 50;

/** Processor time of each thread of a process so far, in milliseconds; finer than what `/proc/<pid>/stat` counts in. */
function threadsOf(pid: number): Map<number, number> {
  const times = new Map<number, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [ran = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      times.set(Number(thread), Number(ran) / 1e6);
    } catch {
      // It has ended meanwhile.
    }
  }
  return times;
}

const sumOf = (times: Map<number, number>) => [...times.values()].reduce((sum, ms) => sum + ms, 0);

type Whole = { redis: { url: string; pid: number }; items: number; apiUrl: string | undefined };

/** One batch by one worker process of a build. Without an API only the orchestration: an instant provider, nothing kept. */
export async function runWhole(build: Build, { redis, items, apiUrl }: Whole) {
  const watch = watchRedis(redis.url);
  await watch.reset();
  await watch.redis.lpush(await build.durationsKey(MODEL), ...Array<number>(10).fill(1));
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  const config = {
    ...{ REDIS_URL: redis.url, FLUX_API_KEY: 'none', ARCHIVE_URL: folder, FLUX_MAX_TASKS: '1000000' },
    ...{ FLUX_RATE_LIMIT: '1000000/1s', FLUX_POLL_LIMIT: '1000000/1s', FEED_WINDOW: String(items) },
    ...(apiUrl !== undefined && { FLUX_API_URL: apiUrl }),
  };
  const batch = await build.enqueueBatch(config, BATCH, build.itemsOf(BATCH, items, apiUrl ? 'jpeg' : 'png'));
  await watch.redis.config('RESETSTAT');
  const input: FleetInput = {
    config,
    instant: apiUrl === undefined,
    ...(apiUrl === undefined && { concurrency: { submit: AT_ONCE, poll: AT_ONCE, archive: AT_ONCE } }),
  };
  const execArgv = apiUrl === undefined ? ['--import', build.file('bench/no-decode.js')] : [];
  const member = await build.startMember<FleetResult>('fleet-member', input, { execArgv });
  const before = { fleet: threadsOf(member.pid), redis: sumOf(threadsOf(redis.pid)) };
  const { ms } = await timed(() => batch.ended());
  const after = { fleet: threadsOf(member.pid), redis: sumOf(threadsOf(redis.pid)) };
  const { evalsha } = await watch.perItem(items);
  await member.stop();
  await batch.close();
  watch.close();
  await rm(folder, { recursive: true, force: true });
  const main = (times: Map<number, number>) => times.get(member.pid) ?? 0;
  return {
    perSecond: (items * 1_000) / ms,
    cpuMs: (sumOf(after.fleet) - sumOf(before.fleet)) / items,
    mainMs: (main(after.fleet) - main(before.fleet)) / items,
    redisMs: (after.redis - before.redis) / items,
    scripts: evalsha?.calls ?? 0,
  };
}

export async function runBare(redisUrl: string, items: number) {
  const { itemsPerSecond, cpuMsPerItem } = await runBareChain(redisUrl, items);
  return { perSecond: itemsPerSecond, cpuMs: cpuMsPerItem };
}

type S3 = { endpoint: string; accessKeyId: string; secretAccessKey: string };

export async function runArchiver(build: Build, sourceUrl: string, s3: S3, images: number) {
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  const common: ArchiverInput = {
    archive: {
      ...{ url: 's3://bench/ours', endpoint, forcePathStyle: true, maxSockets: 64 },
      credentials: { accessKeyId, secretAccessKey },
    },
    ...{ sourceUrl, format: 'png', images, atOnce: 8, verify: true, thumbnails: false },
  };
  const each = async (input: ArchiverInput) => {
    const member = await build.startMember<ArchiverResult>('archiver', input);
    return (await member.stop()).cpuMs / images;
  };
  return { verifiedMs: await each(common), copiedMs: await each({ ...common, verify: false }) };
}

export async function runRclone(sourceUrl: string, s3: S3, images: number) {
  const { cpuMs } = await rclone(sourceUrl, s3);
  return { cpuMs: cpuMs / images };
}
