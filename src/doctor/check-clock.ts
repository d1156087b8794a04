import type { Config } from '../config.ts';
import { SKEW_MS } from '../diagnosis/workers.ts';
import { type Fetch, fetchBy } from '../network/fetch.ts';
import { formatDuration } from '../text/duration.ts';
import { type Check, ok, warning } from './check.ts';

const WITHIN_MS = 10_000;
/** Servers' dates are in whole seconds, and answers take time. S3 refuses a signature from 15 minutes on. */
const DIFFERS_FROM_MS = 30_000;

/** Who has a clock, and by how much that is ahead of ours; undefined where it does not tell. `differsFromMs`: so much is told of. */
export type Reading = { of: string; aheadMs: number | undefined; differsFromMs?: number };

/** Redis tells milliseconds. What `status` calls a wrong clock is one here, too. */
export function readingOfRedis(aheadMs: number | undefined): Reading {
  return { of: 'Redis', aheadMs, differsFromMs: SKEW_MS };
}

/** The API's clock and that of S3, by the dates of their answers. Whatever they answer has one. */
export async function readClocks({ apiUrl, archiveUrl, s3, proxy }: Config): Promise<Reading[]> {
  const isS3 = /^s3:/i.test(archiveUrl);
  const s3Url = s3.endpoint ?? `https://s3.${s3.region ?? 'us-east-1'}.amazonaws.com`;
  const ask = fetchBy(proxy);
  return Promise.all([
    aheadMsOf(apiUrl, ask).then((aheadMs) => ({ of: 'the API', aheadMs })),
    ...(isS3 ? [aheadMsOf(s3Url, ask).then((aheadMs) => ({ of: 'S3', aheadMs }))] : []),
  ]);
}

async function aheadMsOf(url: string, ask: Fetch): Promise<number | undefined> {
  const askedAt = Date.now();
  try {
    const answer = await ask(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(WITHIN_MS) });
    const theirs = Date.parse(answer.headers.get('date') ?? '');
    return Number.isNaN(theirs) ? undefined : theirs - (askedAt + Date.now()) / 2;
  } catch {
    // That nobody answers is told by the check of who it is.
    return undefined;
  }
}

export function judgeClocks(readings: readonly Reading[]): Check[] {
  const told = readings.flatMap((reading) =>
    reading.aheadMs === undefined ? [] : [{ ...reading, aheadMs: reading.aheadMs }],
  );
  const wrong = told.filter(({ aheadMs, differsFromMs = DIFFERS_FROM_MS }) => Math.abs(aheadMs) > differsFromMs);
  if (wrong.length === 0) {
    const whose = told.map(({ of }) => of).join(', ');
    return told.length === 0 ? [] : [ok('clock', `this machine's clock agrees with that of ${whose}`)];
  }
  return wrong.map(({ of, aheadMs }) => {
    const differs = `${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'behind' : 'ahead of'}`;
    const all = wrong.length === told.length && told.length > 1;
    return warning(
      'clock',
      `this machine's clock is ${differs} that of ${of}`,
      all
        ? 'Set the clock of this machine right (NTP).'
        : `Set the clocks right (NTP): this machine's, or that of ${of}.`,
    );
  });
}
