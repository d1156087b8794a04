import { createHash } from 'node:crypto';
import { type VerifiedImage, verifyImage } from '../archive/image.ts';
import type { Finished } from '../items/item.ts';
import type { Refused } from '../items/record.ts';
import { type Source, sourcesOf } from '../items/sources.ts';
import type { DownloadOutcome } from '../provider/download.ts';
import type { Room } from '../provider/growing-body.ts';
import { MAX_IMAGE_BYTES } from './body-room.ts';
import { keepRefused, keepTooLong, type OneImage } from './keep-refused.ts';
import type { Ports, Run } from './ports.ts';
import { cameBefore, isExhausted, withCutOff } from './refusals.ts';
import type { Refusal } from './remembered.ts';

/** A job whose process ended so often while it decoded: its image is not decoded again. */
const MOST_DECODES = 3;

/**
 * Why a source did not yield the image. `page`: it answered HTML, XML, JSON or nothing, as a gateway does. `cut-off`: it gave a part of
 * the image, and may give all of it later. `spoilt`: it gave what is no image, or the same part for too long. `closed`: its address is not
 * permitted.
 */
export type Miss = {
  source: Source['kind'];
  why: 'gone' | 'broken' | 'page' | 'cut-off' | 'spoilt' | 'closed';
  message: string;
};
export type Missed = {
  kind: 'missed';
  misses: Miss[];
  refusals: readonly Refusal[];
  kept: Refused | undefined;
  isDeadly: boolean;
};
export type Fetched = { kind: 'image'; image: VerifiedImage; source: Source['kind'] } | Missed;

/** The first source that yields a whole image, whatever it is wrapped in. What is refused for good is kept in the archive. */
export async function fetchImage(one: OneImage, run: Run, room: Room, ports: Ports): Promise<Fetched> {
  const { item } = one;
  const { refusals = [], kept } = run.remembered;
  const missed: Missed = { kind: 'missed', misses: [], refusals, kept, isDeadly: false };
  const miss = (source: Source['kind'], why: Miss['why'], message: string) =>
    missed.misses.push({ source, why, message });
  for (const source of sourcesOf(item, ports.now())) {
    if (isExhausted(source.kind, missed.refusals)) {
      miss(source.kind, 'spoilt', missed.refusals.findLast((refusal) => refusal.source === source.kind)?.message ?? '');
      continue;
    }
    const url = source.kind === 'link' ? await linkTo(source.url, missed.misses, ports) : source.url;
    if (url === undefined) continue;
    const outcome = await ports.download(url, { maxBytes: MAX_IMAGE_BYTES, room });
    if (outcome.kind !== 'body') {
      const message = 'message' in outcome ? outcome.message : `HTTP ${outcome.status}`;
      miss(source.kind, whyOf(outcome), message);
      if (outcome.kind !== 'too-long') continue;
      missed.refusals = [...missed.refusals, { source: source.kind, sha256: '', message }];
      if (missed.kept || !isExhausted(source.kind, missed.refusals)) continue;
      const kept = await keepTooLong(one, { url, room, reason: message }, ports);
      if ('key' in kept) missed.kept = kept;
      else ports.log.warn({ ...idsOf(item), source: source.kind, reason: kept.notKept }, 'too long an image not kept');
      continue;
    }
    const result = await verify(outcome.body, run, ports);
    if (result.ok) return { kind: 'image', image: result.image, source: source.kind };
    const { batch, id } = item;
    const { message, kind } = result;
    ports.log.warn(
      { batch, item: id, stage: 'archive', source: source.kind, run: run.runs, reason: message },
      'not an image',
    );
    if (kind === 'page') {
      miss(source.kind, 'page', message);
      continue;
    }
    const sha256 = createHash('sha256').update(outcome.body).digest('hex');
    const refusal = { source: source.kind, sha256, message };
    if (kind === 'cut-off') missed.refusals = withCutOff(missed.refusals, refusal, ports.now());
    else missed.refusals = [...missed.refusals, refusal];
    const isOver = isExhausted(source.kind, missed.refusals);
    miss(source.kind, kind === 'cut-off' && !isOver ? 'cut-off' : 'spoilt', message);
    missed.isDeadly = kind === 'deadly';
    const isNew = missed.kept?.sha256 !== sha256;
    if (isNew && (missed.isDeadly || isOver || cameBefore(missed.refusals, source.kind, sha256)))
      missed.kept = await keepRefused(one, outcome.body, { sha256, reason: message }, ports);
    if (missed.isDeadly) return missed;
  }
  return missed;
}

/**
 * Where a run did not end, decoding may be why. Its next run decodes alone, so that others do not end with it and are not taken for the
 * cause, and that decoding begins is noted first. A first run notes nothing, since few ever have a second.
 */
async function verify(body: Buffer, run: Run, ports: Ports) {
  const decodes = run.remembered.decodes ?? Math.min(run.broken, 1);
  const isSuspect = decodes > 0 || run.broken > 0;
  if (decodes >= MOST_DECODES) {
    const message = `Decoding it ended its process ${decodes} times`;
    return { ok: false, message, kind: 'deadly' } as const;
  }
  let begun = false;
  const note = async (count: number) => {
    if (!isSuspect) return;
    begun = true;
    // Redis may be away: then a process that ends is not counted, and the image is stored all the same.
    await run.note({ ...run.remembered, decodes: count }).catch((error: unknown) => {
      ports.log.warn({ stage: 'archive', reason: String(error) }, 'decoding not noted');
    });
  };
  const result = await verifyImage(body, { alone: decodes > 0, onDecode: () => note(decodes + 1) });
  if (begun) await note(0);
  return result;
}

const idsOf = ({ batch, id, taskId }: Finished) => ({ batch, item: id, stage: 'archive', taskId });

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
