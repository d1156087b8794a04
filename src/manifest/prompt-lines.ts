import { readLines } from './lines.ts';
import type { RowEvent } from './row.ts';
import { TEMPLATE } from './template.ts';

/**
 * The variables of a line: the prompt, and its first words for naming the images. The line number is not a variable on
 * purpose. An inserted line would rename all images below it, and they would be generated and charged again.
 */
export const PROMPT_VARIABLES = { prompt: 'prompt', words: 'words' } as const;
const COLUMNS = Object.values(PROMPT_VARIABLES);
const MAX_WORDS = 40;

/**
 * Reads a text file with one prompt per line. Blank lines and lines that begin with # are skipped. Throws an
 * `UnreadableFile`.
 */
export async function* readPromptLines(path: string, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  yield { kind: 'columns', columns: COLUMNS };
  let line = 0;
  for await (const text of readLines(path, signal)) {
    line++;
    const prompt = text.trim();
    if (prompt === '' || prompt.startsWith('#')) continue;
    if (TEMPLATE.test(prompt)) yield { kind: 'mistake', line, ...NOT_FILLED_IN };
    else yield { kind: 'row', line, values: { prompt, words: firstWords(prompt) } };
  }
}

const NOT_FILLED_IN = {
  message: '"{{" is not filled in within a file of prompts',
  hint: "put it into the job's own prompt, around {{ prompt }}",
};

/** `A white lighthouse above a calm sea at dawn, long exposure` → `A white lighthouse above a calm sea at` */
export function firstWords(prompt: string): string {
  if (prompt.length <= MAX_WORDS) return prompt;
  const end = prompt.lastIndexOf(' ', MAX_WORDS);
  // Do not cut a surrogate pair in half.
  return prompt.slice(0, end > 0 ? end : MAX_WORDS).replace(/[\uD800-\uDBFF]$/, '');
}
