import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { plain } from '../text/terminal.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
};

type Wanted = { what: string; code: string; variable: string };

/** What `parse` makes of the JSON in a file. Throws a UsageError that names the file, what is wrong in it, and who named it. */
export async function fromJsonFile<T>(
  path: string | URL,
  parse: (json: unknown) => T,
  { what, code, variable }: Wanted,
): Promise<T> {
  try {
    return parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const isOwn = typeof path === 'string';
    throw new UsageError(
      code,
      `Cannot read the ${what} in ${String(path)}${isOwn ? ` (${variable})` : ''}: ${why(cause)}`,
      {
        hint: isOwn
          ? `Put the file right, name another one in ${variable}, or unset it: the ${what} of the package hold then.`
          : 'It is a file of the package: install it again.',
        cause,
      },
    );
  }
}

function why(cause: unknown): string {
  if (cause instanceof z.ZodError) return z.prettifyError(cause);
  if (cause instanceof SyntaxError) return `it is no JSON: ${plain(cause.message)}`;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return WHY[code] ?? messageOf(cause);
}
