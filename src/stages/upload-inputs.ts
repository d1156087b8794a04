import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { InputReference } from '../items/input-reference.ts';
import type { Picture, Provider } from '../provider/provider.ts';
import type { InputSettings, Uploads } from './inputs.ts';
import type { Ports } from './ports.ts';
import { backoffMs } from './retry.ts';
import { warnOfStorm } from './storm-log.ts';

export type Uploaded =
  | { kind: 'uploaded'; url: string; goodUntil: number; isFresh: boolean }
  /** Nobody took it now. */
  | { kind: 'not-now' }
  | { kind: 'refused'; message: string }
  | { kind: 'missing' };

type Deps = Pick<Ports, 'now' | 'log' | 'faults'> & {
  upload: NonNullable<Provider['upload']>;
  uploads: Uploads;
  settings: Pick<InputSettings, 'urlLifeMs'>;
};

/** Each holds a picture in memory. */
const AT_ONCE = 4;
const TRIES = 3;

/**
 * Hands pictures to an account's own files, each once for as long as it lives there, also where several items ask for it at once. With
 * a limit and retries of its own.
 */
export function uploader({ now, log, faults, upload, uploads, settings }: Deps) {
  const limit = pLimit(AT_ONCE);
  const flights = new Map<string, Promise<Uploaded>>();

  async function send(picture: Picture, signal: AbortSignal): Promise<Uploaded> {
    let reason = 'no answer';
    for (let tried = 1; tried <= TRIES && !signal.aborted; tried++) {
      if (tried > 1) await sleep(backoffMs(tried));
      const outcome = await upload(picture, { signal });
      if (outcome.kind === 'uploaded') {
        const { url, diesAt } = outcome;
        // What is left is the provider's, to fetch it.
        const goodUntil = diesAt - Math.min(settings.urlLifeMs / 2, (diesAt - now()) / 4);
        await uploads.remember(picture.sha256, { url, goodUntil }, now());
        faults.clear('uploads-unanswered');
        return { kind: 'uploaded', url, goodUntil, isFresh: true };
      }
      reason = outcome.message;
      const isRefused = outcome.kind === 'refused' && outcome.refusal === 'invalid-parameters';
      if (isRefused) return { kind: 'refused', message: `The provider does not take its picture: ${reason}` };
    }
    if (!signal.aborted) {
      faults.note('uploads-unanswered', reason);
      const remedy = 'each is tried again: see KIE_UPLOAD_URL and the network if it lasts';
      warnOfStorm(log, 'uploads-unanswered', { stage: 'submit', reason, remedy }, 'pictures not uploaded');
    }
    return { kind: 'not-now' };
  }

  /** `read`: the picture from the archive; nothing where it is missing. */
  return async (
    { sha256 }: InputReference,
    read: () => Promise<Picture | undefined>,
    signal: AbortSignal,
  ): Promise<Uploaded> => {
    const known = await uploads.find(sha256);
    if (known && known.goodUntil > now()) return { kind: 'uploaded', ...known, isFresh: false };
    const begin = () =>
      limit(async () => {
        const picture = await read();
        return picture ? send(picture, signal) : ({ kind: 'missing' } as const);
      }).finally(() => flights.delete(sha256));
    const flight = flights.get(sha256) ?? begin();
    flights.set(sha256, flight);
    return flight;
  };
}
