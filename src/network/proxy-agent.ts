import { type Agent, ProxyAgent } from 'undici';

/**
 * Sends requests through a proxy: to https by a tunnel (CONNECT), to plain http as they are, which is all that many proxies
 * permit. A request whose tunnel fails was not sent.
 */
export function proxyAgent(proxy: URL, connectTimeoutMs: number, options: Agent.Options): ProxyAgent {
  const tls = { timeout: connectTimeoutMs };
  return new ProxyAgent({ ...options, uri: proxy.href, proxyTunnel: false, requestTls: tls, proxyTls: tls });
}

/** For messages. A proxy's URL may have a password; its host has none. */
export const throughProxy = (proxy: URL | undefined) =>
  proxy === undefined ? '' : ` (through the proxy ${proxy.host})`;
