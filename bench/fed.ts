// A large batch from its enqueue to its end, with an instant provider and an archive that keeps records only:
//   npm run bench:fed -- 100000 [where the archive is to be] > run.jsonl && npm run bench:draw -- run.jsonl docs/million.svg
// Prints a line of JSON every two seconds: what is archived, what Redis and the worker hold, what was asked of Redis and of the archive.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, isFinished } from '../src/batch/counts.ts';
import { loadConfig } from '../src/config.ts';
import { DEFAULT_PREFIX, keysOf } from '../src/redis/keys.ts';
import { connect } from '../src/wiring/connections.ts';
import { startRedis } from '../test/services/redis.ts';
import { enqueueBatch, itemsOf } from './batch.ts';
import { startMember } from './children.ts';
import type { FleetInput } from './fleet-member.ts';
import { machine, rssMb } from './measure.ts';
import { NO_DECODE } from './orchestration.ts';
import { watchRedis } from './redis-stats.ts';

const LOOK_EVERY_MS = 2_000;
const BATCH = 'large';

async function measure(items: number, under: string): Promise<void> {
  const redis = await startRedis();
  const watch = watchRedis(redis.url);
  const folder = await mkdtemp(join(under, 'flux-batch-bench-'));
  const config = {
    REDIS_URL: redis.url,
    FLUX_API_KEY: 'none',
    FLUX_RATE_LIMIT: '1000000/1s',
    FLUX_POLL_LIMIT: '1000000/1s',
    FLUX_MAX_TASKS: '1000000',
    ARCHIVE_URL: join(folder, 'archive'),
  };
  const connections = await connect(loadConfig(config), { patient: false, prove: false });
  const megabytes = async () => Math.round((await watch.usedMemory()) / 1e5) / 10;
  try {
    await watch.redis.lpush(keysOf(DEFAULT_PREFIX).durations('flux-kontext-pro'), ...Array<number>(10).fill(1));
    const startedAt = performance.now();
    const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10;
    console.log(JSON.stringify({ ...machine(), items, redisMb: await megabytes() }));
    await (await enqueueBatch(config, BATCH, itemsOf(BATCH, items))).close();
    console.log(JSON.stringify({ seconds: seconds(), enqueued: items, redisMb: await megabytes() }));
    const counts = join(folder, 'counts.json');
    const input: FleetInput = {
      config,
      instant: true,
      recordsAndCounts: counts,
      concurrency: { submit: 50, poll: 50, archive: 50 },
    };
    const fleet = await startMember('fleet-member', input, { execArgv: NO_DECODE });
    for (let ended = false; !ended; await sleep(LOOK_EVERY_MS)) {
      const now = await connections.state.counts(BATCH);
      ended = now !== undefined && hasEnded(now) && isFinished(now);
      const { archived = 0, failed = 0 } = now?.items ?? {};
      const seen = { archived, failed, unfed: now?.unfed, total: now?.total };
      const memory = { redisMb: await megabytes(), workerMb: Math.round(rssMb(fleet.pid)) };
      const asked = { commands: await watch.commands(), archive: JSON.parse(readFileSync(counts, 'utf8')) };
      console.log(JSON.stringify({ seconds: seconds(), ...seen, ...memory, ...asked }));
    }
    await fleet.stop();
  } finally {
    await connections.closers.closeAll();
    watch.close();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

await measure(Number(process.argv[2] ?? 100_000), process.argv[3] ?? tmpdir());
