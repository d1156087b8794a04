import { TEMPLATE } from '../manifest/template.ts';
import { plural } from '../text/terminal.ts';
import type { Encoding } from './encoding.ts';
import { readLines } from './lines.ts';
import type { RowEvent } from './row.ts';

/**
 * The variables of a line: the prompt, and its first words for naming the images. The line number is not a variable on
 * purpose. An inserted line would rename all images below it, and they would be generated and charged again.
 */
export const PROMPT_VARIABLES = { prompt: 'prompt', words: 'words' } as const;
const COLUMNS = Object.values(PROMPT_VARIABLES);
const MAX_WORDS = 40;

/** `#` alone, or with a space after it, begins a comment. `#1 dad mug` is a prompt. */
const COMMENT = /^#+(\s|$)/;
const NEARLY_COMMENT = /^#/;
const SHOWN = 5;

/**
 * Reads a text file with one prompt per line. Blank lines and comments are skipped. A line is text: nothing in it is filled
 * in. Throws an `UnreadableFile`.
 */
export async function* readPromptLines(
  path: string,
  encoding: Encoding,
  signal?: AbortSignal,
): AsyncGenerator<RowEvent> {
  yield { kind: 'columns', columns: COLUMNS };
  let line = 0;
  let comments = 0;
  const hashes = countedLines();
  const braces = countedLines();
  for await (const text of readLines(path, encoding, signal)) {
    line++;
    const prompt = text.trim();
    if (prompt === '') continue;
    if (COMMENT.test(prompt)) {
      comments++;
      continue;
    }
    if (NEARLY_COMMENT.test(prompt)) hashes.add(line);
    if (TEMPLATE.test(prompt)) braces.add(line);
    yield { kind: 'row', line, values: { prompt, words: firstWords(prompt) } };
  }
  if (comments > 0) yield { kind: 'note', message: `${plural(comments, 'comment')} left out` };
  const nearly = hashes.told();
  if (nearly) yield { kind: 'note', message: `a # without a space begins a prompt: ${nearly}` };
  const open = braces.told();
  if (open) yield { kind: 'note', message: `{{ is drawn as it stands, not filled in: ${open}` };
}

function countedLines() {
  const first: number[] = [];
  let count = 0;
  return {
    add(line: number): void {
      if (++count <= SHOWN) first.push(line);
    },
    /** `line 3`, `lines 3, 4 and 18 more`; nothing where there is none. */
    told(): string | undefined {
      if (count === 0) return undefined;
      const more = count > first.length ? ` and ${count - first.length} more` : '';
      return `${count === 1 ? 'line' : 'lines'} ${first.join(', ')}${more}`;
    },
  };
}

/** `A white lighthouse above a calm sea at dawn, long exposure` → `A white lighthouse above a calm sea at` */
export function firstWords(prompt: string): string {
  if (prompt.length <= MAX_WORDS) return prompt;
  const end = prompt.lastIndexOf(' ', MAX_WORDS);
  // Do not cut a surrogate pair in half.
  return prompt.slice(0, end > 0 ? end : MAX_WORDS).replace(/[\uD800-\uDBFF]$/, '');
}
