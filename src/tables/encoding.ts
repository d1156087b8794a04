import type { CodePage } from './code-pages.ts';
import { westernWords } from './western-words.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | CodePage;

/**
 * How a file is to be read; `note` is told where that was found out and not said. Or where it cannot be read; `doubt`: which
 * two things it may be.
 */
export type Detected = { encoding: Encoding; note?: string } | { invalidLine: number; doubt?: string };

const MARKS: readonly (readonly [readonly number[], Encoding])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];
const LINE_FEED = 10;
/** So many of the first bytes tell UTF-16. */
const SAMPLE = 64 * 1024;
/** In UTF-16, each space, comma, digit and line end has a zero byte, on one side. */
const LEAST_ZEROS = 0.2;

/**
 * Reads a file once to find out how it is written: by its byte order mark, as UTF-16 by its zero bytes, as UTF-8, and else as
 * Windows-1252, or Mac Roman, which spreadsheets write, if it looks like words in that.
 */
export async function detectEncoding(chunks: AsyncIterable<Buffer>): Promise<Detected> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const words = westernWords();
  let invalidLine: number | undefined;
  let line = 1;
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst) {
      const told = byMark(chunk) ?? byZeros(chunk);
      if (told) return told;
      isFirst = false;
    }
    words.look(chunk);
    if (invalidLine !== undefined) continue;
    invalidLine = invalidLineIn(decoder, chunk, line, false);
    line += lineFeeds(chunk);
  }
  invalidLine ??= invalidLineIn(decoder, Buffer.alloc(0), line, true);
  if (invalidLine === undefined) return { encoding: 'utf-8' };
  const judged = words.judged();
  if (judged === undefined) return { invalidLine };
  if ('doubt' in judged) return { invalidLine, doubt: judged.doubt };
  const { page: encoding, example } = judged;
  return { encoding, note: `read as ${NAMES[encoding]}, since it is not UTF-8: "${example}"` };
}

const NAMES: Readonly<Record<CodePage, string>> = { 'windows-1252': 'Windows-1252', macintosh: 'Mac Roman' };

function byMark(first: Buffer): Detected | undefined {
  const found = MARKS.find(([bytes]) => bytes.every((byte, at) => first[at] === byte));
  if (found === undefined) return undefined;
  const [, encoding] = found;
  return encoding === 'utf-8' ? { encoding } : { encoding, note: 'read as UTF-16' };
}

function byZeros(first: Buffer): Detected | undefined {
  const sample = first.subarray(0, SAMPLE);
  const zeros: [even: number, odd: number] = [0, 0];
  for (let at = sample.indexOf(0); at !== -1; at = sample.indexOf(0, at + 1)) zeros[at % 2 === 0 ? 0 : 1]++;
  const [even, odd] = zeros;
  const least = (sample.length / 2) * LEAST_ZEROS;
  const note = 'read as UTF-16, by its bytes: it has no byte order mark';
  if (odd >= least && odd > 4 * even) return { encoding: 'utf-16le', note };
  if (even >= least && even > 4 * odd) return { encoding: 'utf-16be', note };
  return undefined;
}

function invalidLineIn(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Buffer,
  line: number,
  isLast: boolean,
): number | undefined {
  try {
    decoder.decode(chunk, { stream: !isLast });
    return undefined;
  } catch {
    const validPart = new TextDecoder().decode(chunk).split('\uFFFD', 1)[0] ?? '';
    return line + validPart.split('\n').length - 1;
  }
}

function lineFeeds(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
