import type { Missing } from '../results/missing-images.ts';
import { plural, say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';

/** More than these are only counted. */
const MOST_NAMED = 50;

/** Names the images that are not in the archive any more, and says what is to be done. Returns the exit code for them. */
export function tellMissing(batch: string, missing: readonly Missing[]): number {
  const [first] = missing;
  if (!first) return EXIT.allArchived;
  for (const { key } of missing.slice(0, MOST_NAMED)) say(`missing: ${key} is not in the archive any more`);
  if (missing.length > MOST_NAMED) say(`missing: … and ${missing.length - MOST_NAMED} more`);
  const one = missing.length === 1 ? first.id : '<ids>';
  say(
    `${plural(missing.length, 'image')} missing: put back what you have a copy of; flux-batch redo ${batch} ${one} makes it anew, at its price`,
  );
  return EXIT.someFailed;
}
