/**
 * Removes user and password from URLs: everything from `//` to the last `@`, since a password may contain any
 * character.
 */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/\S*@/g, '//***@');
}

/** A shorter secret would match in ordinary words, and protects nothing anyway. */
const SHORTEST = 4;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** The query of a signed URL grants access. The path is enough for a log. */
const QUERY = /(\bhttps?:\/\/[^\s"'<>?#\\]+)\?[^\s"'<>\\]*/gi;

/** A provider may repeat the address that it was told to call. Its last part is what lets it in. */
const CALLBACK = /(\/callbacks\/)[\w.~%-]+/g;

/**
 * Removes secrets from any text: as they are, as JSON or as a URL encodes them. Removes the queries of URLs, callback tokens and what
 * stands behind `Bearer` too.
 */
export function scrubber(secrets: readonly (string | undefined)[]): (text: string) => string {
  const forms = new Set(
    secrets.flatMap((secret) =>
      secret === undefined || secret.length < SHORTEST
        ? []
        : [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)],
    ),
  );
  // One secret may be a part of another.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst
      .reduce((scrubbed, form) => scrubbed.replaceAll(form, '***'), text)
      .replace(QUERY, '$1?***')
      .replace(BEARER, '$1 ***')
      .replace(CALLBACK, '$1***');
}

/** The password in a URL, as written and decoded. */
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
