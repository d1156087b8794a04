import type { Unreadable } from '../items/unreadable.ts';
import { plain, say } from '../text/terminal.ts';

/** More than these are only counted by whoever wants to. */
const MOST_NAMED = 50;

/** Names the files of records that cannot be read, as they are met. */
export function tellUnreadable(): (unreadable: Unreadable) => void {
  let told = 0;
  return ({ message }) => {
    told += 1;
    if (told <= MOST_NAMED) say(`unreadable: ${plain(message)}`);
    else if (told === MOST_NAMED + 1) say('unreadable: … and more');
  };
}
