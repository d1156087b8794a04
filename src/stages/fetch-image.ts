import { createHash } from 'node:crypto';
import { type VerifiedImage, verifyImage } from '../archive/image.ts';
import { layout } from '../archive/layout.ts';
import type { Finished } from '../items/item.ts';
import type { Refused } from '../items/record.ts';
import { type Source, sourcesOf } from '../items/sources.ts';
import type { DownloadOutcome } from '../provider/download.ts';
import type { Room } from '../provider/growing-body.ts';
import { MAX_IMAGE_BYTES } from './body-room.ts';
import type { Ports, Run } from './ports.ts';
import type { Refusal } from './remembered.ts';

/** A source that gave so many bodies that are no image, or the same one twice, will not give another. */
const MOST_REFUSALS = 3;
/** A job whose process ended so often while it decoded: its image is not decoded again. */
const MOST_DECODES = 3;

/**
 * Why a source did not yield the image. `page`: it answered HTML, XML, JSON or nothing, as a gateway does. `spoilt`: it gave what is no
 * whole image. `closed`: its address is not permitted.
 */
export type Miss = {
  source: Source['kind'];
  why: 'gone' | 'broken' | 'page' | 'spoilt' | 'closed';
  message: string;
};
export type Missed = {
  kind: 'missed';
  misses: Miss[];
  refusals: Refusal[];
  kept: Refused | undefined;
  isDeadly: boolean;
};
export type Fetched = { kind: 'image'; image: VerifiedImage; source: Source['kind'] } | Missed;

/** The first source that yields a whole image, whatever it is wrapped in. What is refused for good is kept in the archive. */
export async function fetchImage(item: Finished, run: Run, room: Room, ports: Ports): Promise<Fetched> {
  const refusals = [...(run.remembered.refusals ?? [])];
  const missed: Missed = { kind: 'missed', misses: [], refusals, kept: run.remembered.kept, isDeadly: false };
  const miss = (source: Source['kind'], why: Miss['why'], message: string) =>
    missed.misses.push({ source, why, message });
  for (const source of sourcesOf(item, ports.now())) {
    if (isExhausted(source.kind, refusals)) {
      miss(source.kind, 'spoilt', refusals.findLast((refusal) => refusal.source === source.kind)?.message ?? '');
      continue;
    }
    const url = source.kind === 'link' ? await linkTo(source.url, missed.misses, ports) : source.url;
    if (url === undefined) continue;
    const outcome = await ports.download(url, { maxBytes: MAX_IMAGE_BYTES, room });
    if (outcome.kind !== 'body') {
      if (outcome.kind === 'too-long') refusals.push({ source: source.kind, sha256: '', message: outcome.message });
      miss(source.kind, whyOf(outcome), 'message' in outcome ? outcome.message : `HTTP ${outcome.status}`);
      continue;
    }
    const result = await verify(outcome.body, run, ports);
    if (result.ok) return { kind: 'image', image: result.image, source: source.kind };
    const { batch, id } = item;
    const { message } = result;
    ports.log.warn(
      { batch, item: id, stage: 'archive', source: source.kind, run: run.runs, reason: message },
      'not an image',
    );
    miss(source.kind, result.isPage ? 'page' : 'spoilt', message);
    if (result.isPage) continue;
    const sha256 = createHash('sha256').update(outcome.body).digest('hex');
    refusals.push({ source: source.kind, sha256, message });
    missed.isDeadly = result.isDeadly;
    if (result.isDeadly || isExhausted(source.kind, refusals))
      missed.kept = await keep(item, outcome.body, { sha256, reason: message }, ports);
    if (result.isDeadly) return missed;
  }
  return missed;
}

export function isExhausted(source: Source['kind'], refusals: readonly Refusal[]): boolean {
  const sums = refusals.flatMap((refusal) => (refusal.source === source ? [refusal.sha256] : []));
  return sums.length >= MOST_REFUSALS || new Set(sums).size < sums.length;
}

/**
 * That decoding begins is noted first: where it ends the process, its next run knows, and decodes it alone, so that others do not end
 * with it and are not taken for the cause.
 */
async function verify(body: Buffer, run: Run, ports: Ports) {
  const decodes = run.remembered.decodes ?? 0;
  if (decodes >= MOST_DECODES) {
    const message = `Decoding it ended its process ${decodes} times`;
    return { ok: false, message, isPage: false, isDeadly: true } as const;
  }
  let begun = false;
  const note = async (count: number) => {
    begun = true;
    // Redis may be away: then a process that ends is not counted, and the image is stored all the same.
    await run.note({ ...run.remembered, decodes: count }).catch((error: unknown) => {
      ports.log.warn({ stage: 'archive', reason: String(error) }, 'decoding not noted');
    });
  };
  const result = await verifyImage(body, { alone: decodes > 0, onDecode: () => note(decodes + 1) });
  if (begun) await note(0);
  return { ...result, isDeadly: false };
}

async function keep(
  { batch, id }: Finished,
  body: Buffer,
  about: Pick<Refused, 'sha256' | 'reason'>,
  { archive }: Ports,
): Promise<Refused> {
  const key = layout.refused(batch, id);
  await archive.write(key, body, { contentType: 'application/octet-stream' });
  return { key, ...about, bytes: body.length };
}

function whyOf({ kind }: Exclude<DownloadOutcome, { kind: 'body' }>): Miss['why'] {
  switch (kind) {
    case 'too-long':
      return 'spoilt';
    case 'refused':
      return 'closed';
    default:
      return kind;
  }
}

async function linkTo(storedUrl: string, misses: Miss[], ports: Ports): Promise<string | undefined> {
  const outcome = await ports.provider.link(storedUrl);
  switch (outcome.kind) {
    case 'link':
      return outcome.url;
    case 'not-found':
      misses.push({ source: 'link', why: 'gone', message: outcome.message });
      return undefined;
    case 'refused':
      // A reseller without links, and not an answer about the file: the stored copy's own answer is the last word.
      if (outcome.refusal === 'not-found' || outcome.refusal === 'feature-disabled') return undefined;
      // 422: the provider holds no such file (any more). Other refusals say nothing about the file.
      misses.push({
        source: 'link',
        why: outcome.refusal === 'invalid-parameters' ? 'gone' : 'broken',
        message: outcome.message,
      });
      return undefined;
    case 'unreachable':
      misses.push({ source: 'link', why: 'broken', message: outcome.message });
      return undefined;
    default:
      return outcome satisfies never;
  }
}
