import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { ProxyFor } from '../network/proxy.ts';

type Request = Parameters<NodeHttpHandler['handle']>[0];
type Options = Parameters<NodeHttpHandler['handle']>[1];

/** The connections of a client, each straight or through the proxy that the rules name for its host. */
export function s3Transport({ maxSockets, proxyFor }: { maxSockets: number; proxyFor: ProxyFor }) {
  const options = { keepAlive: true, maxSockets };
  const straight = handlerOf({ httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) });
  const byProxy = new Map<string, NodeHttpHandler>();

  const handlerFor = (request: Request): NodeHttpHandler => {
    const proxy = proxyFor(new URL(originOf(request)))?.href;
    if (proxy === undefined) return straight;
    const known = byProxy.get(proxy);
    if (known) return known;
    const handler = handlerOf({
      httpAgent: new HttpProxyAgent(proxy, options),
      httpsAgent: new HttpsProxyAgent(proxy, options),
    });
    byProxy.set(proxy, handler);
    return handler;
  };

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: (request: Request, given?: Options) => handlerFor(request).handle(request, given),
    updateHttpClientConfig(): void {},
    httpHandlerConfigs: () => ({}),
    destroy(): void {
      for (const handler of [straight, ...byProxy.values()]) handler.destroy();
    },
  };
}

function originOf({ protocol, hostname, port }: Pick<Request, 'protocol' | 'hostname' | 'port'>): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

// With agents that it makes itself, the SDK opens a new connection for each larger body.
function handlerOf(agents: { httpAgent: HttpAgent; httpsAgent: HttpsAgent }): NodeHttpHandler {
  return new NodeHttpHandler({ ...agents, connectionTimeout: 5_000, socketTimeout: 30_000, logger: SILENT });
}

// Otherwise the handler prints warnings about busy sockets into the progress display.
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
