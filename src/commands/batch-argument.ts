import { UsageError } from '../errors.ts';

/** Requires exactly one of `<batch>` and `--all`. Throws a UsageError (`batch-missing`). */
export function oneOrAll(batch: string | undefined, flags: { all?: true }): { batch: string } | 'all' {
  if (batch !== undefined && !flags.all) return { batch };
  if (batch === undefined && flags.all) return 'all';
  throw new UsageError('batch-missing', 'Expected the name of a batch, or --all', {
    hint: 'flux-batch status lists the batches.',
  });
}
