import { embedMetadata } from '../archive/embed.ts';
import { verifyImage } from '../archive/image.ts';
import { layout } from '../archive/layout.ts';
import type { Finished } from '../items/item.ts';
import type { Failure, ItemRecord } from '../items/record.ts';
import { nextDeadline, type Source, sourcesOf } from '../items/sources.ts';
import { archivedRecord, failedRecord, recordWithTask, type StoredImage } from '../items/transitions.ts';
import { endItem } from './end-item.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';
import { backoffMs } from './retry.ts';

/** Far above what the API makes, far below what would hurt a worker. */
export const MAX_IMAGE_BYTES = 32 * 1024 * 1024;
/** An image is `expired` only when every source said that it is gone in so many rounds: one 404 may be a replica's lag. */
const GONE_ROUNDS = 3;
/** A gateway that answers 404 for everything, as in a deployment, is over by the third: it comes six times as long after the second. */
const GONE_WAIT_MS = 5_000;
/** What the sources give is no image in so many rounds, a quarter of an hour in all: then it will not become one. */
const INVALID_ROUNDS = 30;
/** While a source is out of reach, the wait doubles to this, or to a part of the time that is left. */
const LONGEST_WAIT_MS = 5 * 60_000;
const PART_OF_TIME_LEFT = 1 / 4;
const SHORTEST_WAIT_MS = 1_000;

type Miss = { source: Source['kind']; why: 'gone' | 'invalid' | 'refused' | 'broken'; message: string };
type Fetched =
  | { kind: 'image'; body: Buffer; source: Source['kind']; verified: Verified }
  | { kind: 'missed'; misses: Miss[] };
type Verified = Extract<Awaited<ReturnType<typeof verifyImage>>, { ok: true }>['image'];

/** Download, verify, put, record. Repeating it writes the same bytes under the same key. */
export async function archive(item: Finished, run: Run, ports: Ports): Promise<StageOutcome> {
  const previous = await ports.records.read(item.batch, item.id);
  if (previous?.state === 'archived') {
    await ports.state.move(item, 'archived');
    return { kind: 'done' };
  }
  const fetched = await fetchImage(item, run, ports);
  if (fetched.kind === 'missed') return settleMisses(item, previous, fetched.misses, run, ports);
  ports.faults.clear('images-unreachable');

  const { source } = fetched;
  const { verified, body } = (item.embed ?? ports.settings.embed) ? await embed(item, fetched, ports) : fetched;
  const image = layout.image(item.batch, item.id, verified.extension);
  const thumb = layout.thumb(item.batch, item.id);
  await Promise.all([
    ports.archive.write(image, body, { contentType: verified.contentType }),
    ports.archive.write(thumb, verified.thumbnail, { contentType: 'image/webp' }),
  ]);
  const { bytes, width, height, contentType, sha256 } = verified;
  const stored: StoredImage = { image, thumb, bytes, width, height, contentType, sha256, source };
  // When another holder of the job was quicker its record stays.
  const change = (now: ItemRecord | undefined) =>
    now?.state === 'archived' ? recordWithTask(item, now) : archivedRecord(item, now, stored, ports.now());
  await ports.records.update(item.batch, item.id, change, previous);
  await ports.state.move(item, 'archived', { bytes });
  ports.metrics.observe('archivedSeconds', Math.max(0, ports.now() - item.completedAt) / 1_000);
  ports.log.info(
    { batch: item.batch, item: item.id, stage: 'archive', taskId: item.taskId, bytes, source },
    'archived',
  );
  return { kind: 'done' };
}

/** With the item's metadata in its bytes. What is stored is verified again, and left as it came when that fails. */
async function embed(item: Finished, { body, verified }: { body: Buffer; verified: Verified }, ports: Ports) {
  const { batch, id, name, variant, taskId, request } = item;
  const { prompt, model, outputFormat } = request;
  const embedded = embedMetadata(body, outputFormat, { prompt, model, batch, item: id, name, variant, taskId });
  const result = await verifyImage(embedded, outputFormat);
  if (result.ok) return { body: embedded, verified: result.image };
  ports.log.warn({ batch, item: id, stage: 'archive', taskId, reason: result.message }, 'metadata not embedded');
  return { body, verified };
}

/** The first source that yields a whole image of the asked format. */
async function fetchImage(item: Finished, run: Run, ports: Ports): Promise<Fetched> {
  const misses: Miss[] = [];
  for (const source of sourcesOf(item, ports.now())) {
    const url = source.kind === 'link' ? await linkTo(source.url, misses, ports) : source.url;
    if (url === undefined) continue;
    const outcome = await ports.download(url, { maxBytes: MAX_IMAGE_BYTES });
    if (outcome.kind !== 'body') {
      const message = outcome.kind === 'gone' ? `HTTP ${outcome.status}` : outcome.message;
      misses.push({ source: source.kind, why: outcome.kind, message });
      continue;
    }
    const result = await verifyImage(outcome.body, item.request.outputFormat);
    if (result.ok) return { kind: 'image', body: outcome.body, source: source.kind, verified: result.image };
    misses.push({ source: source.kind, why: 'invalid', message: result.message });
    ports.log.warn(
      {
        batch: item.batch,
        item: item.id,
        stage: 'archive',
        source: source.kind,
        run: run.runs,
        reason: result.message,
      },
      'not an image',
    );
  }
  return { kind: 'missed', misses };
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

/** An answer of every source ends the item, or its last deadline. As long as one is out of reach it waits. */
async function settleMisses(
  item: Finished,
  previous: ItemRecord | undefined,
  misses: readonly Miss[],
  { remembered }: Run,
  ports: Ports,
): Promise<StageOutcome> {
  const end = async (failure: Failure): Promise<StageOutcome> => {
    const goesOn = await endItem(
      item,
      previous,
      (now) => (hasNewerTask(now, item) ? undefined : failedRecord(item, now, failure)),
      'archive',
      ports,
    );
    if (goesOn?.state === 'archived') await ports.state.move(item, 'archived');
    return { kind: 'done' };
  };
  const message = misses.map((miss) => `${miss.source}: ${miss.message}`).join('; ') || 'every URL has expired';
  const allGone = misses.every((miss) => miss.why === 'gone');
  const isBroken = misses.some((miss) => miss.why === 'broken');
  const round = {
    goneRounds: (remembered.goneRounds ?? 0) + (allGone ? 1 : 0),
    invalidRounds: (remembered.invalidRounds ?? 0) + (allGone || isBroken ? 0 : 1),
    missedRounds: (remembered.missedRounds ?? 0) + 1,
  };
  const now = ports.now();
  const isPastDeadline = now >= item.storedDiesAt;
  if (allGone && (isPastDeadline || round.goneRounds >= GONE_ROUNDS))
    return end({ class: 'expired', message: `The image is gone (${message})` });
  const isInvalid = misses.some((miss) => miss.why === 'invalid' || miss.why === 'refused');
  if (isPastDeadline || round.invalidRounds >= INVALID_ROUNDS)
    return end({ class: isInvalid ? 'invalid-image' : 'unreachable', message });
  if (isBroken) ports.faults.note('images-unreachable', message);
  const { batch, id, taskId } = item;
  ports.log.warn({ batch, item: id, stage: 'archive', taskId, ...round, reason: message }, 'image not had yet');
  return {
    kind: 'later',
    atMs: Math.min(now + waitMs(item, { ...round, allGone, isBroken }, now), item.storedDiesAt),
    remember: round,
  };
}

function waitMs(
  item: Finished,
  round: { allGone: boolean; isBroken: boolean; goneRounds: number; missedRounds: number },
  now: number,
): number {
  if (round.allGone) return GONE_WAIT_MS * 6 ** (round.goneRounds - 1) * (0.75 + Math.random() * 0.5);
  if (!round.isBroken) return backoffMs(round.missedRounds);
  const left = Math.max(SHORTEST_WAIT_MS, (nextDeadline(item, now) - now) * PART_OF_TIME_LEFT);
  return Math.min(left, backoffMs(round.missedRounds, Math.random, { longestMs: LONGEST_WAIT_MS }));
}

/** Its end is not this one's to decide: it is archived, or it was submitted again and that task may have an image. */
function hasNewerTask(now: ItemRecord | undefined, item: Finished): boolean {
  return (
    now?.state === 'archived' || now?.state === 'claimed' || (now?.state === 'submitted' && now.taskId !== item.taskId)
  );
}
