import { isLoopbackName } from '../text/loopback.ts';

/** A warning for each address that is plain http to somewhere else. A name without a dot is one of a private network, as compose files have them. */
export function plainConnections(urls: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(urls).flatMap(([name, url]) => {
    const { protocol, hostname, host } = new URL(url ?? 'https://none');
    if (protocol !== 'http:' || isLoopbackName(hostname) || !hostname.includes('.')) return [];
    return [`${name} is plain http: whoever is on the way to ${host} can read keys and images; use https`];
  });
}
