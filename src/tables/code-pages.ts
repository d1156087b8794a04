export type CodePage = 'windows-1252' | 'macintosh';

/** What a byte from 0x80 on stands for, as far as words are concerned. `joins`: stands between the letters of a word, or two words. */
export type Kind = 'capital' | 'letter' | 'joins' | 'sign' | 'none';

/** Letters by Unicode, but not of words. */
const NO_LETTERS = 'ƒﬁﬂˆˇ';
/** `’` in don’t, dashes and dots between words, the middle dot of Catalan, the soft hyphen. */
const JOINING = '’–—…·\u00AD';

/** Throws where a byte has no character. Without `stream`, Node 20 takes Windows-1252 for ISO 8859-1. */
export function decodedIn(page: CodePage, bytes: Uint8Array): string {
  return new TextDecoder(page, { fatal: true }).decode(bytes, { stream: true });
}

/** By byte. */
export function kindsOf(page: CodePage): readonly Kind[] {
  return Array.from({ length: 256 }, (_, byte) => kindOf(byte, page));
}

function kindOf(byte: number, page: CodePage): Kind {
  let character: string;
  try {
    character = decodedIn(page, Uint8Array.of(byte));
  } catch {
    return 'none';
  }
  // Windows-1252 has five bytes without a character, which decoders make control characters of.
  if (/\p{Cc}/u.test(character) && byte >= 0x80) return 'none';
  if (JOINING.includes(character)) return 'joins';
  if (!/\p{Script=Latin}/u.test(character) || NO_LETTERS.includes(character)) return 'sign';
  return /\p{Lu}/u.test(character) ? 'capital' : 'letter';
}
