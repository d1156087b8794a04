import { readLines } from './lines.ts';
import type { RowEvent } from './row.ts';
import { TEMPLATE } from './template.ts';

/** What a line gives: itself, and its beginning to name the images by. Not its number: a line put in would rename all below it. */
export const PROMPT_VARIABLES = { prompt: 'prompt', words: 'words' } as const;
const COLUMNS = Object.values(PROMPT_VARIABLES);
const MAX_WORDS = 40;

/** A text file with a prompt on each line; blank lines and those that begin with # are skipped. Throws an `UnreadableFile`. */
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
  // Not between the two halves of a character.
  return prompt.slice(0, end > 0 ? end : MAX_WORDS).replace(/[\uD800-\uDBFF]$/, '');
}
