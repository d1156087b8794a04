import { Scalar } from 'yaml';
import { type Finding, type Path, quote } from './problems.ts';

/** What is drawn, or written into names: a comment behind it is text that went missing, more often than not. */
const DRAWN = ['prompt', 'id', 'watermark'];
const IN_LISTS = ['matrix', 'zip', 'where'];
const MAX_SHOWN = 60;

/**
 * In `prompt: A cat #1 on a mat`, YAML takes all from the # for a comment, and "A cat" would be drawn and paid for. In lists,
 * where comments on values are common, only a # with text right behind it is a mistake.
 */
export function commentMistake(scalar: Scalar, path: Path, text: string): Finding | undefined {
  if (scalar.type !== Scalar.PLAIN || !scalar.range) return undefined;
  const isInList = path.some((step) => IN_LISTS.includes(String(step)));
  const isDrawn = !isInList && DRAWN.includes(String(path.at(-1)));
  if (!isDrawn && !isInList) return undefined;
  const [from, to] = scalar.range;
  const behind = /^[ \t]+(#[^\r\n]*)/.exec(text.slice(to, to + 1_000))?.[1]?.trimEnd();
  if (behind === undefined || (!isDrawn && !/^#\S/.test(behind))) return undefined;
  const whole = `${text.slice(from, to)} ${behind}`;
  const quoted = whole.length > MAX_SHOWN || whole.includes('\n') ? 'quotes around all of it' : inQuotes(whole);
  return {
    path,
    message: `${quote(behind)} behind it is a comment to YAML`,
    hint: `write ${quoted} if it belongs to it; a comment stands on a line of its own`,
  };
}

const inQuotes = (text: string) => (/["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`);
