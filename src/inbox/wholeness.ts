import type { Drop } from '../archive/drops.ts';
import { kindOf } from './drop-names.ts';

/** A folder is written file by file: between two of them more time may pass than within one. */
const FOLDER_RESTS = 5;
/** Put into a folder as the last file: it is whole. */
export const READY = '.ready';

type Look = { print: string; sinceMs: number };
export type WholenessSettings = { restMs: number; wholeWhenListed: boolean };

/**
 * Judges by looks which drops are whole: what looks the same for the rest time has been written to its end. Objects of S3 are
 * whole when they are listed; a folder is whole at once when it has a `.ready`. Times are milliseconds of any one clock.
 */
export function wholeness({ restMs, wholeWhenListed }: WholenessSettings) {
  let looks = new Map<string, Look>();
  return {
    /** Those of all drops there are now that are whole. */
    look(drops: readonly Drop[], nowMs: number): Drop[] {
      const next = new Map<string, Look>();
      const whole = drops.filter((drop) => {
        const print = printOf(drop);
        const before = looks.get(drop.name);
        const look = before?.print === print ? before : { print, sinceMs: nowMs };
        next.set(drop.name, look);
        if (kindOf(drop) !== 'folder') return wholeWhenListed || nowMs - look.sinceMs >= restMs;
        const isReady = drop.files.some(({ path }) => path === `${drop.name}/${READY}`);
        return isReady || nowMs - look.sinceMs >= restMs * FOLDER_RESTS;
      });
      looks = next;
      return whole;
    },
  };
}

/** Equal as long as nothing of a drop has changed. */
export function printOf({ isFolder, files }: Drop): string {
  return JSON.stringify([isFolder, files.map(({ path, version }) => [path, version])]);
}
