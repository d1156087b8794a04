import { isAscii } from 'node:buffer';
import { type CodePage, decodedIn, kindsOf } from './code-pages.ts';

/** Western words have hardly more letters with accents in a row. Cyrillic, Greek, Chinese and Japanese text has. */
const MOST_IN_A_ROW = 3;
const MAX_EXAMPLE = 40;
/**
 * For a capital in the middle of a word, as names of brands have them, there are at least so many letters that tell the code page. Less
 * is asked of Windows-1252, which is far more common.
 */
const LETTERS_FOR_A_CAPITAL: Readonly<Record<CodePage, number>> = { 'windows-1252': 1, macintosh: 10 };
/** From here on Windows-1252 has the letters of words; Mac Roman has them below, and capitals and signs here. */
const LETTERS_OF_1252 = 0xc0;

/** `doubt`: how a word reads in each of the two, where nothing tells which of them it is. */
export type Judged = { page: CodePage; example: string } | { doubt: string } | undefined;

/**
 * Judges whether bytes that are not UTF-8 are words in Windows-1252 or in Mac Roman. What is a letter within a word in one of them is
 * a sign or a capital in the other, so most words tell. Other code pages decode to something, too, and it would be drawn and paid for:
 * in doubt it says no. It cannot tell the code pages of Central Europe and Turkey by every word, so an example is shown.
 */
export function westernWords() {
  const pages = { 'windows-1252': countsOf('windows-1252'), macintosh: countsOf('macintosh') };
  const both = Object.values(pages);
  let run = 0;
  let inARow = 0;
  let utf8 = 0;
  let high = 0;
  let before = 0;
  let initials = 0;

  function look(byte: number, after: number, chunk: Buffer, at: number): void {
    high++;
    // A line of dashes is no word.
    if (byte !== before) run++;
    inARow = Math.max(inARow, run);
    if (byte < 0xc0 && before >= 0xc2 && before <= 0xf4) utf8++;
    const fits = both.map((counts) => counts.fits(byte, before, after));
    for (const [index, counts] of both.entries()) counts.add(fits[index] ?? 'no', fits[1 - index] ?? 'no', chunk, at);
    if (fits[0] === 'letter' && byte >= LETTERS_OF_1252) initials++;
  }

  return {
    look(chunk: Buffer): void {
      if (isAscii(chunk)) {
        [run, before] = [0, chunk.at(-1) ?? before];
        return;
      }
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at] ?? 0;
        if (byte < 0x80) run = 0;
        else look(byte, chunk[at + 1] ?? 0, chunk, at);
        before = byte;
      }
    },
    judged(): Judged {
      if (inARow > MOST_IN_A_ROW || utf8 * 4 > high) return undefined;
      const { 'windows-1252': windows, macintosh: mac } = pages;
      const isWindows = windows.isPossible() && initials > 0 && (windows.tells() > 0 || mac.tells() === 0);
      const isMac = mac.isPossible() && mac.tells() > 0;
      const example = (counts: Counts) => counts.example() ?? '';
      if (isWindows && !(isMac && mac.tells() >= windows.tells()))
        return { page: 'windows-1252', example: example(windows) };
      if (isMac && !isWindows) return { page: 'macintosh', example: example(mac) };
      const words = [windows, mac].filter((counts) => counts.isPossible()).map(({ example: word }) => word());
      const [inWindows, inMac] = words;
      if (inWindows === undefined || inMac === undefined) return undefined;
      return { doubt: `"${inWindows}" as Windows-1252, "${inMac}" as Mac Roman` };
    },
  };
}

/** How a byte fits into its word: a letter, a letter in the wrong case, what may stand there, or what hardly can. */
type Fit = 'letter' | 'wrong-case' | 'may-be' | 'no';
type Counts = ReturnType<typeof countsOf>;

function countsOf(page: CodePage) {
  const kinds = kindsOf(page);
  let impossible = false;
  let wrongCase = 0;
  let telling = 0;
  let example: string | undefined;
  return {
    fits(byte: number, before: number, after: number): Fit {
      const kind = kinds[byte] ?? 'none';
      if (kind === 'none') return 'no';
      const isBehind = isAsciiLetter(before);
      if (kind === 'sign') return isBehind && isAsciiLetter(after) ? 'no' : 'may-be';
      if (kind === 'joins' || !(isBehind || isAsciiLetter(after))) return 'may-be';
      return kind === 'capital' && isLower(before) ? 'wrong-case' : 'letter';
    },
    add(fit: Fit, other: Fit, chunk: Buffer, at: number): void {
      if (fit === 'no') impossible = true;
      if (fit === 'wrong-case') wrongCase++;
      if (fit !== 'letter') return;
      if (other === 'no' || other === 'wrong-case') telling++;
      example ??= wordAround(chunk, at, page);
    },
    isPossible: () => !impossible && wrongCase * LETTERS_FOR_A_CAPITAL[page] <= telling,
    /** Letters of words that cannot be ones in the other code page. */
    tells: () => telling,
    example: () => example,
  };
}

const isLower = (byte: number) => byte >= 0x61 && byte <= 0x7a;
const isAsciiLetter = (byte: number) => isLower(byte | 0x20) && byte < 0x80;

function wordAround(chunk: Buffer, at: number, page: CodePage): string {
  const belongs = (byte: number | undefined) => byte !== undefined && (byte >= 0x80 || isAsciiLetter(byte));
  let [from, to] = [at, at + 1];
  while (belongs(chunk[from - 1]) && at - from < MAX_EXAMPLE) from--;
  while (belongs(chunk[to]) && to - at < MAX_EXAMPLE) to++;
  try {
    return decodedIn(page, chunk.subarray(from, to));
  } catch {
    return '';
  }
}
