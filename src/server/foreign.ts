import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a page of another site has a browser send this: it would bring the password that the browser knows. Browsers say so in
 * `Sec-Fetch-Site`, older ones by `Origin`; programs send neither.
 */
export function isForeign({ origin, host, ...headers }: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && hostOf(origin) !== host;
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
