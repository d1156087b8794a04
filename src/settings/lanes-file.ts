import { readFileSync } from 'node:fs';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { FluxError, messageOf, UsageError } from '../errors.ts';
import { ACCOUNTS } from '../items/item.ts';
import { parseRate } from '../text/duration.ts';

const rate = z.string().transform((text, context) => {
  try {
    return parseRate(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof FluxError ? error.message : String(error) });
    return z.NEVER;
  }
});

const variable = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]*$/,
    'Expected the name of the variable that holds it, such as KIE_API_KEY_2, and never the key itself',
  );

const laneSchema = z.strictObject({
  /** Stands in records, in the names of Redis keys and in the URLs of callbacks. */
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'Expected small letters, digits, - and _, 40 at most'),
  provider: z.enum(ACCOUNTS, 'Expected kie, whose key is that of its unified jobs too, or bfl').default('kie'),
  key: variable,
  webhook: variable.exactOptional(),
  rate: rate.exactOptional(),
  polls: rate.exactOptional(),
  concurrency: z.int().min(1).exactOptional(),
  share: z.number().min(0).exactOptional(),
});
const fileSchema = z.strictObject({ lanes: z.array(laneSchema).min(1) });
export type LaneInFile = z.infer<typeof laneSchema>;

/** Of one account, whichever of its names the key has. */
const sameKey = (key: string) => (key === 'KIE_API_KEY' ? 'FLUX_API_KEY' : key);

/** Throws a UsageError (`config-invalid`) with every mistake and its line. */
export function readLanesFile(file: string): readonly LaneInFile[] {
  const lines = new LineCounter();
  const document = parseDocument(textOf(file), { lineCounter: lines });
  const wrong = document.errors.map(({ message }) => message.split('\n')[0] ?? '');
  const parsed = fileSchema.safeParse(wrong.length > 0 ? {} : document.toJS());
  const at = (path: readonly PropertyKey[]) => `${file}:${lineOf(document, path, lines)}: ${nameOf(path)}`;
  if (wrong.length === 0 && !parsed.success)
    wrong.push(...parsed.error.issues.map(({ path, message }) => `${at(path)}: ${message}`));
  if (parsed.success) {
    for (const [index, { name, key }] of parsed.data.lanes.entries()) {
      const earlier = parsed.data.lanes.slice(0, index);
      if (earlier.some((lane) => lane.name === name))
        wrong.push(`${at(['lanes', index, 'name'])}: ${name} is there already`);
      if (earlier.some((lane) => sameKey(lane.key) === sameKey(key)))
        wrong.push(`${at(['lanes', index, 'key'])}: two lanes of one account would each use all that it permits`);
    }
    if (wrong.length === 0) return parsed.data.lanes;
  }
  throw new UsageError('config-invalid', `The lanes in ${file} are wrong:\n  ${wrong.join('\n  ')}`, {
    hint: 'docs/fleet.md#several-accounts has an example.',
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError('config-invalid', `FLUX_LANES cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Of the last part of the path that is there. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}
