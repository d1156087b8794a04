/** A pattern for a whole text. */
export type Glob = { test(text: string): boolean };

/**
 * A pattern that matches a whole text and ignores case: `*` is any text, `?` is one character. Compared by hand, going back to
 * the last `*` only: a regular expression would try all ways to divide a text among several, which takes for ever.
 */
export function globOf(glob: string): Glob {
  const pattern = [...folded(glob.trim())];
  return { test: (text) => matches(pattern, [...folded(text)]) };
}

/** As a regular expression ignores case. Of the two forms that a letter with an accent may have, one. */
const folded = (text: string) => text.normalize().toUpperCase().toLowerCase();

function matches(pattern: readonly string[], text: readonly string[]): boolean {
  let [inPattern, inText] = [0, 0];
  let star = -1;
  let afterStar = 0;
  while (inText < text.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      [star, afterStar] = [inPattern++, inText];
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[inText])) {
      inPattern++;
      inText++;
    } else if (star !== -1) {
      inPattern = star + 1;
      inText = ++afterStar;
    } else {
      return false;
    }
  }
  return pattern.slice(inPattern).every((rest) => rest === '*');
}
