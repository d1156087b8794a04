/**
 * The known name that was probably meant: `aspect_ratio` and `ratio` → `aspectRatio`, `promt` → `prompt`. Undefined
 * when no name is similar.
 */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name);
  const same = known.find((candidate) => plain(candidate) === wanted);
  if (same !== undefined) return same;
  const part = wanted.length >= 4 ? known.find((candidate) => plain(candidate).includes(wanted)) : undefined;
  if (part !== undefined) return part;
  const allowed = Math.min(2, Math.floor(wanted.length / 3));
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: distance(wanted, plain(candidate)) }))
    .filter(({ edits }) => edits <= allowed)
    .sort((a, b) => a.edits - b.edits);
  return nearest?.candidate;
}

function plain(name: string): string {
  // A key can be as long as the file. Its first 64 characters are enough to compare.
  return name
    .slice(0, 64)
    .toLowerCase()
    .replace(/[\s_-]/g, '');
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
