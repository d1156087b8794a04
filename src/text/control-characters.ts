/**
 * Characters that nobody means to draw: control characters but for tab and line ends, what overrides or isolates the
 * direction of text (Unicode Bidi, "Trojan Source"), and halves of surrogate pairs. Marks of direction (U+200E, U+200F,
 * U+061C) and joiners belong to Arabic, Hebrew and emoji.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is searched for
const UNWANTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

/** The first such character, and where it is: `{ at: 5, name: 'U+001B (escape)' }`. */
export function controlCharacterIn(text: string): { at: number; name: string } | undefined {
  const at = text.search(UNWANTED);
  if (at === -1) return undefined;
  const code = text.charCodeAt(at);
  return { at, name: `U+${code.toString(16).toUpperCase().padStart(4, '0')} (${kindOf(code)})` };
}

function kindOf(code: number): string {
  if (code === 0) return 'NUL';
  if (code === 0x1b) return 'escape';
  if (code >= 0xd800 && code <= 0xdfff) return 'half a character';
  if (code >= 0x2000) return 'it turns the direction of text';
  return 'a control character';
}
