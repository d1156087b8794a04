import type { ItemRecord } from './record.ts';

/** How long the provider knows a key again, and in which account. */
export type KeyTerms = { rememberedMs: number; lane?: string | undefined };
/** A key for a new task. */
export type KeyOffer = KeyTerms & { fresh: string };
type Keyed = Pick<ItemRecord, 'submitKey'>;

/** Submits with it are given up for the key's sake so long before the provider may forget it. */
const MARGIN_MS = 60_000;

/** Whether a submit of this record would bear a key that was sent before, and that the provider still knows. It starts no second task. */
export function isReplay(record: ItemRecord | undefined, terms: KeyTerms | undefined, now: number): boolean {
  if (!record?.submitKey || !terms || record.lane !== terms.lane) return false;
  const { since, unanswered } = record.submitKey;
  const wasSent = record.state === 'claimed' || unanswered > 0;
  return wasSent && now < Date.parse(since) + terms.rememberedMs - MARGIN_MS;
}

/** The key of the next claim: the one that may have started a task, else a new one. */
export function claimedKey(previous: ItemRecord | undefined, offer: KeyOffer | undefined, now: number): Keyed {
  if (!offer) return {};
  if (previous?.submitKey && isReplay(previous, offer, now)) return keptKey(previous);
  return { submitKey: { key: offer.fresh, since: new Date(now).toISOString(), unanswered: 0 } };
}

/** The key of a record that goes on without an answer: a claim of it may have started a task. */
export function keptKey(record: ItemRecord): Keyed {
  if (!record.submitKey) return {};
  const { unanswered, ...key } = record.submitKey;
  return { submitKey: { ...key, unanswered: unanswered + (record.state === 'claimed' ? 1 : 0) } };
}

/** The key of a claim that is known to have started nothing: another submit before it may have. */
export function releasedKey({ submitKey }: ItemRecord): Keyed {
  return submitKey && submitKey.unanswered > 0 ? { submitKey } : {};
}

/** A submit with its key was not answered, nor was any since. */
export function isKeyInDoubt({ submitKey }: ItemRecord): boolean {
  return submitKey !== undefined && submitKey.unanswered > 0;
}
