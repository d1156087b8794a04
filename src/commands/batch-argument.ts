import { type Command, InvalidArgumentError } from 'commander';
import { isKey } from '../archive/key.ts';
import { UsageError } from '../errors.ts';

/** Requires exactly one of `<batch>` and `--all`. Throws a UsageError (`batch-missing`). */
export function oneOrAll(batch: string | undefined, flags: { all?: true }): { batch: string } | 'all' {
  if (batch !== undefined && !flags.all) return { batch };
  if (batch === undefined && flags.all) return 'all';
  throw new UsageError('batch-missing', 'Expected the name of a batch, or --all', {
    hint: 'flux-batch status lists the batches.',
  });
}

/** What cannot be the name of any batch is refused before anything is asked: wherever a command takes one. */
export function checkBatchArguments(command: Command): void {
  for (const argument of command.registeredArguments) {
    if (argument.name() === 'batch') argument.argParser(batchName);
  }
}

function batchName(text: string): string {
  if (text !== '' && !text.includes('/') && isKey(text)) return text;
  throw new InvalidArgumentError('Expected the name of a batch: flux-batch status lists them.');
}
