import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layout } from '../../src/archive/layout.ts';
import { FAULT_NAMES, HOSTILE_FAULTS, WRAPPING_FAULTS } from '../../src/simulator/faults.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { type Closers, openClosers } from '../../src/wiring/closers.ts';
import { startCrew } from './crew.ts';
import { recordCutter } from './cut-records.ts';
import { rescue, rowsSeen } from './damaged.ts';
import { KEPT, sumOf } from './figures.ts';
import type { Figures } from './judge.ts';
import { startMortalRedis } from './mortal-redis.ts';
import { openStand, type Stand } from './stand.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { type Outage, troubles } from './troubles.ts';

/** A batch with an archive, an API and workers of its own. */
export type Party = { items: number; workers: number };

/** Wrapped images are archived as they come, and hostile ones have a test of their own: test/acceptance. */
const APART: readonly string[] = [...WRAPPING_FAULTS, ...HOSTILE_FAULTS];
const isTrouble = (name: string) => !APART.includes(name);

export type MixedRun = {
  seed: number;
  /** They share a Redis and nothing else. */
  parties: readonly Party[];
  /** Of every fault that the simulator knows: each hits so large a part of the requests. */
  share: number;
  killEveryMs: number;
  hangUpEveryMs: number;
  /** How often a record is cut off in the bucket. */
  cutEveryMs: number;
  /** When Redis is killed (-9) and started again, counted from the beginning. */
  redisDiesAtMs: readonly number[];
  redisReadOnly: Outage;
  s3Down: Outage;
  /** An S3 server on loopback. */
  s3Endpoint: string;
  submitsPerSecond: number;
  withinMs: number;
};

export type Struck = { kills: number; hangUps: number; cuts: number; readOnly: number; faults: number };
/** `hungUpEnds`: how workers ended whose terminal was closed. */
export type MixedEnd = { figures: Figures; struck: Struck; hungUpEnds: unknown[]; tookMs: number };

/** Everything that can go wrong goes wrong at once, over real worker processes, a real Redis and a real S3 server. */
export async function mixedRun(run: MixedRun): Promise<MixedEnd> {
  const closers = openClosers();
  const startedAt = Date.now();
  const over = new AbortController();
  try {
    const dir = await mkdtemp(join(tmpdir(), 'flux-batch-mixed-'));
    closers.push(() => rm(dir, { recursive: true, force: true, maxRetries: 10 }));
    const redis = await startMortalRedis(dir);
    closers.push(() => redis.stop());
    const s3 = await startTcpProxy(Number(new URL(run.s3Endpoint).port));
    closers.push(() => s3.close());
    const places = await Promise.all(
      run.parties.map((party, index) => openPlace(run, party, `${startedAt}-${index}`, redis.url, s3, closers)),
    );

    const struck: Struck = { kills: 0, hangUps: 0, cuts: 0, readOnly: 0, faults: 0 };
    const count = (what: keyof Struck) => () => {
      struck[what] += 1;
    };
    const crews = places.map(({ crew }) => crew);
    const { every, kills, hangUps, redisDies, redisReadOnly, s3Down } = troubles(startedAt, over.signal);
    const stories = [
      ...run.redisDiesAtMs.map((ms) => redisDies(ms, redis)),
      redisReadOnly(run.redisReadOnly, redis, count('readOnly')),
      s3Down(run.s3Down, s3),
      kills(run.killEveryMs, crews, count('kills')),
      hangUps(run.hangUpEveryMs, crews, count('hangUps')),
      ...places.map(({ cutter }) => every(run.cutEveryMs, () => cutter.cutOne())),
    ].map((story) => story.catch(ignoreTheEnd(over.signal)));

    await Promise.all(places.map(({ stand }) => stand.ended({ withinMs: run.withinMs, resetBreaker: true })));
    over.abort();
    await Promise.all(stories);
    await Promise.all(crews.map((crew) => crew.stop()));

    const figures = await Promise.all(places.map(judgeTwice));
    await expectApart(places.map(({ stand }) => stand));
    struck.cuts = places.reduce((sum, { cutter }) => sum + cutter.cuts.size, 0);
    for (const { stand } of places) {
      for (const hits of Object.values(stand.simulator.ledger().faults)) struck.faults += hits;
    }
    const hungUpEnds = crews.flatMap((crew) => crew.hungUpEnds);
    return { figures: sumOf(figures), struck, hungUpEnds, tookMs: Date.now() - startedAt };
  } finally {
    over.abort();
    await closers.closeAll();
  }
}

function ignoreTheEnd(over: AbortSignal) {
  return (error: unknown) => {
    if (!over.aborted) throw error;
  };
}

type Place = Awaited<ReturnType<typeof openPlace>>;

async function openPlace(
  { seed, share, submitsPerSecond, s3Endpoint }: MixedRun,
  { items, workers }: Party,
  name: string,
  redisUrl: string,
  s3: TcpProxy,
  closers: Closers,
) {
  const stand = await openStand({
    items,
    seed,
    redisUrl,
    archive: {
      url: `s3://faults-mixed/seed-${seed}-${name}`,
      endpoint: `http://127.0.0.1:${s3.port}`,
      directEndpoint: s3Endpoint,
    },
    faults: FAULT_NAMES.filter(isTrouble).map((fault) => ({ name: fault, share })),
    simulator: {
      rate: { max: submitsPerSecond, windowMs: 1_000 },
      medianMs: 1_500,
      slowAnswerMs: 15_000,
      latencyMs: 10,
      jitterMs: 20,
    },
    environment: { FLUX_RATE_LIMIT: `${submitsPerSecond}/1s` },
  });
  closers.push(() => stand.close());
  const archive = await stand.openDirectly();
  closers.push(() => archive.close());
  await archive.prepare();
  await stand.enqueue();
  const crew = startCrew(workers, { environment: stand.environment, cwd: stand.folder });
  closers.push(() => crew.stop());
  return { stand, crew, archive, cutter: recordCutter(archive, stand.batch, createRandom(seed, 'cut records')) };
}

/** As it stands with records cut off, and again when a person has put them back and rescued what there is. */
async function judgeTwice({ stand, cutter }: Place): Promise<Figures> {
  stand.simulator.setFaults([]);
  const { cuts } = cutter;
  const cut = await stand.figures(undefined, { cuts, rows: await rowsSeen(stand) });
  if (cuts.size === 0) return cut;
  await rescue(stand, cuts);
  const touched = await cutter.putBack();
  await rescue(stand, new Map());
  const whole = await stand.figures();
  const remarks = [
    ...cut.remarks,
    ...whole.remarks,
    ...touched.map((id) => `lost: the file of ${id} was written over`),
  ];
  const figures = { ...whole, remarks };
  for (const name of KEPT) figures[name] = Math.max(cut[name], whole[name]);
  figures.lost += touched.length;
  return figures;
}

/** Nothing of one batch is in another's archive. Its own ledger tells of tasks that others have started. */
async function expectApart(stands: readonly Stand[]): Promise<void> {
  for (const stand of stands) {
    const archive = await stand.openDirectly();
    for (const other of stands) {
      if (other === stand) continue;
      for await (const key of archive.list(layout.folder(other.batch)))
        throw new Error(`${key} is in the archive of ${stand.batch}`);
    }
    await archive.close();
  }
}
