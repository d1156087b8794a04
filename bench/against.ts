import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import { startRedis } from '../test/services/redis.ts';
import { startS3 } from '../test/services/s3.ts';
import { type Build, buildIn, thisBuild } from './build.ts';
import { startMember } from './children.ts';
import { median } from './measure.ts';
import type { PictureProvider } from './picture-provider.ts';
import { runArchiver, runBare, runRclone, runWhole } from './side-by-side.ts';

/** A figure of one kind of run; of several rounds the median. */
type Figures = Record<string, number>;
type Contest = {
  name: string;
  /** Measured in each round beside the builds. */
  beside?: { what: string; run(): Promise<Figures> };
  run(build: Build): Promise<Figures>;
  close(): Promise<void>;
  lines(figures: { was: Figures; now: Figures; beside: Figures }): string[];
};

const rowsOf = z.array(z.object({ what: z.string(), measured: z.string() }));

/**
 * Prints what another build of this program, as of an older commit, and this one take, measured in turn in one run: old, new, new, old …
 * Benches without a contest of their own run whole, once in each build.
 */
export async function benchAgainst(folder: string, names: readonly string[], quick: boolean): Promise<void> {
  const former = await buildIn(folder);
  for (const name of names.length === 0 ? ['full', 'orchestration', 'archive', 'redis-memory', 'start'] : names) {
    const open = CONTESTS[name];
    console.error(`${name}, ${former.commit} against ${thisBuild.commit} …`);
    if (open) for (const line of await contest(await open(quick), former, quick ? 2 : 5)) console.log(line);
    else for (const line of await bothWhole(name, former, quick)) console.log(line);
  }
}

async function contest(opened: Contest, former: Build, rounds: number): Promise<string[]> {
  const all: Record<'was' | 'now' | 'beside', Figures[]> = { was: [], now: [], beside: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      const turns = [
        async () => void all.was.push(await opened.run(former)),
        async () => void all.now.push(await opened.run(thisBuild)),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
      if (opened.beside) all.beside.push(await opened.beside.run());
    }
  } finally {
    await opened.close();
  }
  const medians = (some: readonly Figures[]): Figures =>
    Object.fromEntries(Object.keys(some[0] ?? {}).map((key) => [key, median(some.map((one) => one[key] ?? 0))]));
  return opened.lines({ was: medians(all.was), now: medians(all.now), beside: medians(all.beside) });
}

/** Alternating by whole benches: first that of the older build, then ours. */
async function bothWhole(name: string, former: Build, quick: boolean): Promise<string[]> {
  const rows = async (build: Build) => {
    const bench = (await build.benches()).find((one) => one.name === name);
    if (!bench) return [];
    return rowsOf.parse((await bench.run({ quick })).rows);
  };
  const then = await rows(former);
  const now = await rows(thisBuild);
  return now.map(({ what, measured }) => {
    const before = then.find((row) => row.what === what)?.measured ?? 'not measured';
    return `| ${what} | ${before} | ${measured} |`;
  });
}

/** `?` where there was nothing to measure. */
const fixed = (value = Number.NaN, digits = 1) => (Number.isNaN(value) ? '?' : value.toFixed(digits));
const ratio = (now = Number.NaN, then = Number.NaN) => `${fixed(now / then, 2)} ×`;

const CONTESTS: Record<string, (quick: boolean) => Promise<Contest>> = {
  async full(quick) {
    const redis = await startRedis({ appendonly: true });
    const provider = await startMember('picture-provider', { format: 'jpeg', bytes: 200_000, listed: 1 });
    const { url } = provider.ready as PictureProvider;
    const items = quick ? 300 : 1_500;
    return {
      name: 'full',
      run: (build) => runWhole(build, { redis, items, apiUrl: url }),
      async close() {
        await provider.stop();
        await redis.stop();
      },
      lines: ({ was, now }) => [
        `| processor for a whole item (200 KB JPEG, folder) | ${fixed(was.cpuMs)} ms | ${fixed(now.cpuMs)} ms (${ratio(now.cpuMs, was.cpuMs)}) |`,
        `| … of it the main thread; Redis besides | ${fixed(was.mainMs)}; ${fixed(was.redisMs)} ms | ${fixed(now.mainMs)}; ${fixed(now.redisMs)} ms |`,
        `| whole items a second, one process | ${fixed(was.perSecond, 0)}/s | ${fixed(now.perSecond, 0)}/s |`,
      ],
    };
  },

  async orchestration(quick) {
    const redis = await startRedis({ appendonly: true });
    const items = quick ? 2_000 : 6_000;
    return {
      name: 'orchestration',
      beside: { what: 'a bare chain', run: () => runBare(redis.url, items) },
      run: (build) => runWhole(build, { redis, items, apiUrl: undefined }),
      close: () => redis.stop(),
      lines: ({ was, now, beside }) => [
        `| orchestration against a bare chain (${fixed(beside.perSecond, 0)}/s) | ${ratio(was.perSecond, beside.perSecond)} (${fixed(was.perSecond, 0)}/s) | ${ratio(now.perSecond, beside.perSecond)} (${fixed(now.perSecond, 0)}/s) |`,
        `| … processor an item: process, Redis | ${fixed(was.cpuMs, 2)}, ${fixed(was.redisMs, 2)} ms | ${fixed(now.cpuMs, 2)}, ${fixed(now.redisMs, 2)} ms |`,
        `| … scripts an item | ${fixed(was.scripts)} | ${fixed(now.scripts)} |`,
      ],
    };
  },

  async archive(quick) {
    const images = quick ? 40 : 200;
    const hasRclone = spawnSync('rclone', ['version']).status === 0;
    if (!hasRclone)
      console.error('rclone is not installed (apt install rclone): the builds are compared with each other only');
    const s3 = await startS3();
    const source = await startMember('picture-provider', { format: 'png', bytes: 2_000_000, listed: images });
    const { url } = source.ready as PictureProvider;
    return {
      name: 'archive',
      ...(hasRclone && { beside: { what: 'rclone', run: () => runRclone(url, s3, images) } }),
      run: (build) => runArchiver(build, url, s3, images),
      async close() {
        await source.stop();
        await s3.stop();
      },
      lines: ({ was, now, beside }) => [
        `| archive 2 MB PNG to Ceph, a core-second, against rclone (${fixed(beside.cpuMs)} ms), verified | ${ratio(beside.cpuMs, was.verifiedMs)} (${fixed(was.verifiedMs)} ms) | ${ratio(beside.cpuMs, now.verifiedMs)} (${fixed(now.verifiedMs)} ms) |`,
        `| … without verifying | ${ratio(beside.cpuMs, was.copiedMs)} (${fixed(was.copiedMs)} ms) | ${ratio(beside.cpuMs, now.copiedMs)} (${fixed(now.copiedMs)} ms) |`,
      ],
    };
  },
};
