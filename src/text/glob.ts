/** A pattern that matches a whole text and ignores case: `*` is any text, `?` is one character. */
export function globOf(glob: string): RegExp {
  const source = glob
    .trim()
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'isu');
}
