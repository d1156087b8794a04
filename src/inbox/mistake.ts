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
const NOT_THERE = /there is no such (file|folder)$/;
const CAME_ALONE = 'a manifest that is dropped alone brings no files: put it into a folder or a zip with them';

/**
 * What was thrown while a drop was read, as mistakes by the names that its files have in it. Undefined for what is not the
 * drop's fault: an archive or a Redis out of reach, a file of models that cannot be read. `cameAlone`: the drop is the manifest itself.
 */
export function refusalOf(
  thrown: unknown,
  { folder, file, cameAlone = false }: { folder: string; file: string; cameAlone?: boolean },
): DropRefused | undefined {
  if (thrown instanceof DropRefused) return thrown;
  if (!(thrown instanceof UsageError) || OURS.includes(thrown.code)) return undefined;
  const plainly = (text: string) => text.replaceAll(`${folder}/`, '');
  if (!(thrown instanceof ManifestError)) {
    const hint = thrown.hint === undefined ? undefined : plainly(thrown.hint);
    return refused(file, plainly(thrown.message), hint);
  }
  // Nobody who drops a file can give an option.
  const ours = (hint: string) => (OUTSIDE_HINT.test(hint) ? 'put it into the drop' : plainly(hint));
  const mistakes = thrown.problems.map(({ hint: said, ...problem }) => {
    const hint = said ?? (cameAlone && NOT_THERE.test(problem.message) ? CAME_ALONE : undefined);
    const [file, message] = [plainly(problem.file), plainly(problem.message)];
    return { ...problem, file, message, ...(hint !== undefined && { hint: ours(hint) }) };
  });
  return new DropRefused(mistakes, thrown.omitted);
}
