import { fetch, type RequestInit, type Response } from 'undici';
import { type ProxySettings, proxyRules } from './proxy.ts';
import { proxyAgent } from './proxy-agent.ts';

const CONNECTS_WITHIN_MS = 10_000;

/** One request at a time, to where the user said. Its body must be read or cancelled. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** `fetch` through the proxy that the rules name for the address. No connection outlives its request. */
export function fetchBy(settings: ProxySettings): Fetch {
  const proxyFor = proxyRules(settings);
  return async (url, init) => {
    const proxy = proxyFor(new URL(url));
    if (proxy === undefined) return fetch(url, init);
    const dispatcher = proxyAgent(proxy, CONNECTS_WITHIN_MS, {});
    try {
      return await fetch(url, { ...init, dispatcher });
    } finally {
      // Ends once the body is read.
      void dispatcher.close().catch(() => {});
    }
  };
}

/** `fetch failed` says nothing: the reason is in its cause. */
export function whyFailed(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
