import { readFileSync } from 'node:fs';
import { messageOf, UsageError } from '../errors.ts';

/** The first line of a file. Throws a UsageError (`config-invalid`); `named`: the variable or flag that names the file. */
export function secretIn(file: string, named: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError('config-invalid', `${named} cannot be read: ${messageOf(cause)}`, { cause });
  }
  const [line = ''] = text.trim().split(/\r?\n/, 1);
  if (line === '') throw new UsageError('config-invalid', `${named} names an empty file: ${file}`);
  return line;
}

/** The value of a variable that only another file names, or the first line of the file that `<variable>_FILE` names. An empty one is none. */
export function givenOrInFile(variable: string, given: (variable: string) => string | undefined): string | undefined {
  const file = given(`${variable}_FILE`);
  return given(variable) || (file ? secretIn(file, `${variable}_FILE`) : undefined);
}
