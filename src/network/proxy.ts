import { BlockList, isIP } from 'node:net';

/** Addresses of proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY have them. */
export type ProxySettings = { http: string | undefined; https: string | undefined; no: readonly string[] };

/** The proxy that a request goes through; undefined where it goes straight. */
export type ProxyFor = (url: URL) => URL | undefined;

/** The proxy itself does not answer, or refuses. Whoever is behind it has said nothing. */
export class ProxyRefused extends Error {
  override readonly name = 'ProxyRefused';
  readonly hint =
    'Check HTTPS_PROXY and HTTP_PROXY, with user and password in them, and what the proxy permits; NO_PROXY exempts hosts.';

  /** A proxy's URL may have a password; its host has none. */
  constructor(proxy: URL, why: string, cause?: unknown) {
    super(`the proxy ${proxy.host} ${why}`, { cause });
  }
}

/** This machine: no proxy leads back to it. */
const NEVER = ['localhost', '127.0.0.1', '::1'];

/**
 * The rules of curl and of Go: the proxy is chosen by the scheme of the URL. NO_PROXY has `*`, hosts (`example.org`, also
 * `.example.org` and `*.example.org`, with all below them), `host:port`, addresses and networks (`10.0.0.0/8`).
 */
export function proxyRules({ http, https, no }: ProxySettings): ProxyFor {
  const [httpProxy, httpsProxy] = [http, https].map((url) => (url === undefined ? undefined : new URL(url)));
  const exempt = no.map(exemption);
  return (url) => {
    const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy;
    if (proxy === undefined) return undefined;
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return NEVER.includes(host) || exempt.some((matches) => matches(host, port)) ? undefined : proxy;
  };
}

function exemption(entry: string): (host: string, port: string) => boolean {
  if (entry === '*') return () => true;
  const network = networkOf(entry);
  if (network) return (host) => isIP(host) !== 0 && network.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  const [, named = entry, ofPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  const name = named
    .replace(/^\*?\./, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return (host, port) => (ofPort === undefined || ofPort === port) && (host === name || host.endsWith(`.${name}`));
}

function networkOf(entry: string): BlockList | undefined {
  const [, address = '', bits = ''] = /^(.*)\/(\d+)$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) return undefined;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return network;
}
