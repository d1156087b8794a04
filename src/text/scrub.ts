/** Passwords out of URLs, whatever characters they are made of: from `//` to the last `@`. */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/\S*@/g, '//***@');
}

/** Shorter ones would be found in innocent words; and who has them has no secret. */
const SHORTEST = 4;
/** The query of a signed URL opens what it names; its path tells enough. */
const QUERY = /(\bhttps?:\/\/[^\s"'<>?#\\]+)\?[^\s"'<>\\]*/gi;

/** Takes secrets out of any text, as they stand or as JSON and URLs write them, and the queries of URLs. */
export function scrubber(secrets: readonly (string | undefined)[]): (text: string) => string {
  const forms = new Set(
    secrets.flatMap((secret) =>
      secret === undefined || secret.length < SHORTEST
        ? []
        : [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)],
    ),
  );
  // One may be a part of another.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst.reduce((scrubbed, form) => scrubbed.replaceAll(form, '***'), text).replace(QUERY, '$1?***');
}

/** The user's password within a URL, in every way that it may be written. */
export function passwordsIn(url: string | undefined): string[] {
  const raw = /\/\/[^:/]*:(.*)@/.exec(url ?? '')?.[1];
  if (raw === undefined || raw === '') return [];
  return [raw, decoded(raw)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
