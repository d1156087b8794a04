import { STORES_INPUTS } from '../batch/missing-inputs.ts';
import { plural, say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';

const MOST_NAMED = 20;

/** Items that cannot be submitted, since a picture that they start from is gone. They are left as they are. */
export function tellLacking(lacking: readonly { id: string; why: string }[]): void {
  if (lacking.length === 0) return;
  for (const { id, why } of lacking.slice(0, MOST_NAMED)) say(`${id}: ${why}; left as it is`);
  if (lacking.length > MOST_NAMED) say(`… and ${lacking.length - MOST_NAMED} more`);
  say(`${plural(lacking.length, 'item')} cannot be submitted. ${STORES_INPUTS}`);
  process.exitCode = EXIT.someFailed;
}
