import { isAscii } from 'node:buffer';

/** No character has these bytes. */
const UNDEFINED = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** Letters below 0xc0: Š Œ Ž š œ ž Ÿ ª º. */
const LETTERS = new Set([0x8a, 0x8c, 0x8e, 0x9a, 0x9c, 0x9e, 0x9f, 0xaa, 0xba]);
/** Stand between letters: · in Catalan, the soft hyphen. */
const BETWEEN_LETTERS = new Set([0xb7, 0xad]);
/** Western words have hardly more letters with accents in a row. Cyrillic, Greek, Chinese and Japanese text has. */
const MOST_IN_A_ROW = 3;
const MAX_EXAMPLE = 40;

/**
 * Judges whether bytes that are not UTF-8 are words in Windows-1252. Other code pages decode to something, too, and it would
 * be drawn and paid for: in doubt it says no. It cannot tell the code pages of Central Europe and Turkey by every word, so an
 * example is shown.
 */
export function likelyWindows1252() {
  let isImpossible = false;
  let run = 0;
  let example: string | undefined;
  let utf8 = 0;
  let high = 0;
  let before = 0;
  return {
    look(chunk: Buffer): void {
      if (isAscii(chunk)) {
        [run, before] = [0, chunk.at(-1) ?? before];
        return;
      }
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at] ?? 0;
        if (byte < 0x80) {
          run = 0;
        } else {
          const after = chunk[at + 1] ?? 0;
          high++;
          // A line of dashes is no word.
          if (byte !== before) run++;
          const isBetween = isAsciiLetter(before) && isAsciiLetter(after);
          if (UNDEFINED.has(byte) || run > MOST_IN_A_ROW || (isSymbol(byte) && isBetween)) isImpossible = true;
          if (byte < 0xc0 && before >= 0xc2 && before <= 0xf4) utf8++;
          if (example === undefined && isLetter(byte) && (isAsciiLetter(before) || isAsciiLetter(after))) {
            example = wordAround(chunk, at);
          }
        }
        before = byte;
      }
    },
    /** A word with an accent; undefined if it is not Windows-1252, or does not show it. */
    example: () => (isImpossible || utf8 * 4 > high ? undefined : example),
  };
}

const isAsciiLetter = (byte: number) => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
const isLetter = (byte: number) => LETTERS.has(byte) || (byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7);
/** Of another code page they are letters: `³` in `Bia³ystok` is `ł`. */
const isSymbol = (byte: number) => byte >= 0xa1 && byte < 0xc0 && !LETTERS.has(byte) && !BETWEEN_LETTERS.has(byte);

function wordAround(chunk: Buffer, at: number): string {
  const belongs = (byte: number | undefined) => byte !== undefined && (byte >= 0x80 || isAsciiLetter(byte));
  let [from, to] = [at, at + 1];
  while (belongs(chunk[from - 1]) && at - from < MAX_EXAMPLE) from--;
  while (belongs(chunk[to]) && to - at < MAX_EXAMPLE) to++;
  // As the text itself is decoded: without `fatal`, Node 20 takes it for ISO 8859-1.
  return new TextDecoder('windows-1252', { fatal: true }).decode(chunk.subarray(from, to));
}
