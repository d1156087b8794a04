import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_NAMES, HOSTILE_FAULTS, WRAPPING_FAULTS } from '../../src/simulator/faults.ts';
import { openClosers } from '../../src/wiring/closers.ts';
import { startRedis } from '../services/redis.ts';
import { startCrew } from './crew.ts';
import type { Figures } from './judge.ts';
import { openStand } from './stand.ts';
import { startTcpProxy } from './tcp-proxy.ts';

/** Wrapped images are archived as they come, and hostile ones have a test of their own: test/acceptance. */
const APART: readonly string[] = [...WRAPPING_FAULTS, ...HOSTILE_FAULTS];
const isTrouble = (name: string) => !APART.includes(name);

export type MixedRun = {
  seed: number;
  items: number;
  /** Of every fault that the simulator knows: each hits so large a part of the requests. */
  share: number;
  workers: number;
  killEveryMs: number;
  /** When Redis is killed (-9) and started again, counted from the beginning. */
  redisDiesAtMs: readonly number[];
  s3Down: { atMs: number; forMs: number };
  /** An S3 server on loopback. */
  s3Endpoint: string;
  submitsPerSecond: number;
  withinMs: number;
};

export type MixedEnd = { figures: Figures; kills: number; faults: number; tookMs: number };

/** Everything that can go wrong goes wrong at once, over real worker processes, a real Redis and a real S3 server. */
export async function mixedRun(run: MixedRun): Promise<MixedEnd> {
  const closers = openClosers();
  const startedAt = Date.now();
  const over = new AbortController();
  try {
    const dir = await mkdtemp(join(tmpdir(), 'flux-batch-mixed-'));
    closers.push(() => rm(dir, { recursive: true, force: true }));
    let redis = await startRedis({ appendonly: true, dir });
    closers.push(() => redis.stop());
    const s3 = await startTcpProxy(Number(new URL(run.s3Endpoint).port));
    closers.push(() => s3.close());

    const stand = await openStand({
      items: run.items,
      seed: run.seed,
      redisUrl: redis.url,
      archive: {
        url: `s3://faults-mixed/seed-${run.seed}-${startedAt}`,
        endpoint: `http://127.0.0.1:${s3.port}`,
        directEndpoint: run.s3Endpoint,
      },
      faults: FAULT_NAMES.filter(isTrouble).map((name) => ({ name, share: run.share })),
      simulator: {
        rate: { max: run.submitsPerSecond, windowMs: 1_000 },
        medianMs: 1_500,
        slowAnswerMs: 15_000,
        latencyMs: 10,
        jitterMs: 20,
      },
      environment: { FLUX_RATE_LIMIT: `${run.submitsPerSecond}/1s` },
    });
    closers.push(() => stand.close());
    const archive = await stand.openDirectly();
    await archive.prepare();
    await archive.close();
    await stand.enqueue();

    const crew = startCrew(run.workers, { environment: stand.environment, cwd: stand.folder });
    closers.push(() => crew.stop());
    let kills = 0;
    const at = (ms: number) => sleep(Math.max(0, startedAt + ms - Date.now()), undefined, { signal: over.signal });
    const trouble = [
      ...run.redisDiesAtMs.map(async (ms) => {
        await at(ms);
        await redis.kill();
        await sleep(500);
        redis = await startRedis({ appendonly: true, dir, port: redis.port });
      }),
      (async () => {
        await at(run.s3Down.atMs);
        s3.set({ kind: 'down' });
        await at(run.s3Down.atMs + run.s3Down.forMs);
        s3.set({ kind: 'fair' });
      })(),
      (async () => {
        for (;;) {
          await at(Date.now() - startedAt + run.killEveryMs);
          await crew.killOne(kills);
          kills += 1;
        }
      })(),
    ].map((story) => story.catch(() => {}));

    await stand.ended({ withinMs: run.withinMs, resetBreaker: true });
    over.abort();
    await Promise.all(trouble);
    await crew.stop();
    const faults = Object.values(stand.simulator.ledger().faults).reduce((sum, hits) => sum + hits, 0);
    return { figures: await stand.figures(), kills, faults, tookMs: Date.now() - startedAt };
  } finally {
    over.abort();
    await closers.closeAll();
  }
}
