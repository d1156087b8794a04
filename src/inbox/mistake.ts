import { FluxError, UsageError } from '../errors.ts';
import { ManifestError, type Problem } from '../manifest/problems.ts';

/** Something in a drop that a person has to mend. Lines and columns are 1-based, and left out where the whole file is meant. */
export type Mistake = Problem;

/** A drop cannot be taken as it is; `batch` where it is known. */
export class DropRefused extends FluxError {
  override readonly name = 'DropRefused';
  readonly mistakes: readonly Mistake[];
  readonly omitted: number;

  constructor(mistakes: readonly Mistake[], omitted = 0) {
    super('drop-refused', mistakes.map(({ message }) => message).join('; '));
    this.mistakes = mistakes;
    this.omitted = omitted;
  }
}

/** Of a whole file. */
export function refused(file: string, message: string, hint?: string): DropRefused {
  return new DropRefused([{ file, path: '', message, ...(hint === undefined ? {} : { hint }) }]);
}

/** Of our own settings, and not of the drop. */
const OURS: readonly string[] = ['models-invalid', 'prices-invalid', 'temporary-folder'];
const OUTSIDE_HINT = /permit it by --allow-outside/;

/**
 * What was thrown while a drop was read, as mistakes by the names that its files have in it. Undefined for what is not the
 * drop's fault: an archive or a Redis out of reach, a file of models that cannot be read.
 */
export function refusalOf(
  thrown: unknown,
  { folder, file }: { folder: string; file: string },
): DropRefused | undefined {
  if (thrown instanceof DropRefused) return thrown;
  if (!(thrown instanceof UsageError) || OURS.includes(thrown.code)) return undefined;
  const plainly = (text: string) => text.replaceAll(`${folder}/`, '');
  if (!(thrown instanceof ManifestError)) {
    const hint = thrown.hint === undefined ? undefined : plainly(thrown.hint);
    return refused(file, plainly(thrown.message), hint);
  }
  const mistakes = thrown.problems.map(({ hint, ...problem }) => ({
    ...problem,
    file: plainly(problem.file),
    message: plainly(problem.message),
    // Nobody who drops a file can give an option.
    ...(hint !== undefined && { hint: OUTSIDE_HINT.test(hint) ? 'put it into the drop' : plainly(hint) }),
  }));
  return new DropRefused(mistakes, thrown.omitted);
}
