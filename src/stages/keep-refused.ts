import { createHash } from 'node:crypto';
import { layout } from '../archive/layout.ts';
import { messageOf } from '../errors.ts';
import type { Finished } from '../items/item.ts';
import type { Refused } from '../items/record.ts';
import type { Room } from '../provider/growing-body.ts';
import type { Ports } from './ports.ts';

/** So much of a body is kept, one that is too long to be an image. */
const MOST_KEPT_BYTES = 512 * 2 ** 20;
const TYPE = { contentType: 'application/octet-stream' };

/** One image of an item, which is as though it had no other (`eachImage`). Numbers are those of the task's answer, from 1. */
export type OneImage = { item: Finished; number: number };

/** Keeps what came in the place of an image. Throws the archive's errors. */
export async function keepRefused(
  { item: { batch, id }, number }: OneImage,
  body: Buffer,
  about: Pick<Refused, 'sha256' | 'reason'>,
  { archive }: Pick<Ports, 'archive'>,
): Promise<Refused> {
  const key = layout.refused(batch, id, number);
  await archive.write(key, body, TYPE);
  return { key, ...about, bytes: body.length };
}

type TooLong = { url: string; room: Room; reason: string };

/**
 * Keeps a body that is too long for memory: it is downloaded once more, and stored as it comes. Says why where that does not work.
 * Throws the archive's errors.
 */
export async function keepTooLong(
  { item: { batch, id }, number }: OneImage,
  { url, room, reason }: TooLong,
  { archive, stream }: Pick<Ports, 'archive' | 'stream'>,
): Promise<Refused | { notKept: string }> {
  const key = layout.refused(batch, id, number);
  const hash = createHash('sha256');
  let bytes = 0;
  let refused: { cause: unknown } | undefined;
  await room.enter();
  const pending = await archive.begin(key, TYPE);
  try {
    const sink = async (piece: Buffer) => {
      hash.update(piece);
      bytes += piece.length;
      await pending.append(piece).catch((cause: unknown) => {
        refused = { cause };
        throw cause;
      });
    };
    const outcome = await stream(url, { maxBytes: MOST_KEPT_BYTES, sink });
    if (refused) throw refused.cause;
    if (outcome.kind !== 'streamed') {
      await pending.discard();
      return { notKept: 'message' in outcome ? outcome.message : `HTTP ${outcome.status}` };
    }
    await pending.commit();
    const part = outcome.isWhole ? '' : `; only its first ${MOST_KEPT_BYTES} bytes are kept`;
    return { key, sha256: hash.digest('hex'), reason: `${reason}${part}`, bytes };
  } catch (error) {
    await pending.discard();
    throw error instanceof Error ? error : new Error(messageOf(error));
  }
}
