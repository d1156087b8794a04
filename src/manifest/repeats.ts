import { plural } from '../text/terminal.ts';
import type { Place } from './expand.ts';

/** Items that have name and request of an earlier one, and are not made again. `places`: of the first few of them. */
export type Repeats = { count: number; places: Place[] };

const MOST_PLACES = 5;

export function repeatCounter(): { found: Repeats; note(place: Place): void } {
  const found: Repeats = { count: 0, places: [] };
  return {
    found,
    note(place) {
      found.count++;
      if (found.places.length < MOST_PLACES) found.places.push(place);
    },
  };
}

/** `18 lines are repeated, each is made once: colours.txt:85, colours.txt:97 …; use variants to have more` */
export function describeRepeats({ count, places }: Repeats): string {
  const named = places.map(({ file, line }) => (line === undefined ? file : `${file}:${line}`)).join(', ');
  const [are, each] = count === 1 ? ['is', 'it'] : ['are', 'each'];
  return `${plural(count, 'line')} ${are} repeated, ${each} is made once: ${named}${count > places.length ? ' …' : ''}; use variants to have more`;
}
