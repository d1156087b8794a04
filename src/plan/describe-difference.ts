import { plain, plural, shorten } from '../text/terminal.ts';
import type { Difference } from './difference.ts';

const MOST_CHARACTERS = 120;
/** Of what is archived. Less may well be meant; more is perhaps a slip in `defaults`. */
const LARGE_SHARE = 1 / 5;

/** Items that have an image already, of another request or under another name; of all when not all were compared. */
export function madeAgain({ toMake, compared, changed, renamed }: Difference): number {
  const found = changed.count + renamed.count;
  return compared === 0 ? 0 : Math.round((found * toMake) / compared);
}

export function isMuchMadeAgain(difference: Difference): boolean {
  return madeAgain(difference) > difference.recorded * LARGE_SHARE;
}

/**
 * `4 have an image under this name with another request: enableTranslation – → false`, and
 * `1 has an equal request under another name: hero → lighthouse`.
 */
export function describeDifference({ toMake, compared, changed, renamed }: Difference): string[] {
  const line = (count: number, about: string, parts: readonly { what: string; count: number }[]) => {
    const [first] = parts;
    const listed = parts.map((part) =>
      part.count === count && part === first ? part.what : `${part.what} (${part.count})`,
    );
    const more = parts.reduce((sum, part) => sum + part.count, 0) < count ? ' …' : '';
    return `${count.toLocaleString('en-US')} ${count === 1 ? 'has' : 'have'} ${about}: ${shorten(plain(listed.join('; ')), MOST_CHARACTERS)}${more}`;
  };
  return [
    ...(changed.count > 0
      ? [line(changed.count, 'an image under this name with another request', changed.changes)]
      : []),
    ...(renamed.count > 0 ? [line(renamed.count, 'an equal request under another name', renamed.names)] : []),
    ...(compared < toMake && compared > 0
      ? [`compared: the first ${plural(compared, 'item')}, of ${toMake.toLocaleString('en-US')}`]
      : []),
  ];
}
