/** A pattern for a whole text, whatever the case: `*` is any text, `?` one character. */
export function globOf(glob: string): RegExp {
  const source = glob
    .trim()
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'isu');
}
