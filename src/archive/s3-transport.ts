import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { checkServerIdentity as checkIdentity, type PeerCertificate } from 'node:tls';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { messageOf } from '../errors.ts';
import { type ProxyFor, ProxyRefused } from '../network/proxy.ts';

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
      httpAgent: new PlainProxy(proxy, options),
      httpsAgent: new TunnelProxy(proxy, options),
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

type Connecting = Parameters<HttpsProxyAgent<string>['connect']>;

class TunnelProxy extends HttpsProxyAgent<string> {
  override async connect(request: Connecting[0], target: Connecting[1]): Promise<Socket> {
    let status: unknown;
    request.once('proxyConnect', (answer: { statusCode: number }) => {
      status = answer.statusCode;
    });
    // For an address in place of a name, it would be checked against `localhost`.
    const checkServerIdentity = (_: string, certificate: PeerCertificate) =>
      checkIdentity(target.host ?? '', certificate);
    const socket = await super
      .connect(request, Object.assign(target, { checkServerIdentity }))
      .catch(asRefusal(this.proxy));
    if (status === 200) return socket;
    // What the proxy says would be taken for an answer of S3: a 404 for an object that is missing.
    socket.destroy();
    throw new ProxyRefused(this.proxy, `answered ${status} to CONNECT`);
  }
}

class PlainProxy extends HttpProxyAgent<string> {
  override connect(...connecting: Parameters<HttpProxyAgent<string>['connect']>): Promise<Socket> {
    return super.connect(...connecting).catch(asRefusal(this.proxy));
  }
}

const asRefusal =
  (proxy: URL) =>
  (cause: unknown): never => {
    throw new ProxyRefused(proxy, `does not answer: ${messageOf(cause)}`, cause);
  };

function originOf({ protocol, hostname, port }: Pick<Request, 'protocol' | 'hostname' | 'port'>): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

// With agents that it makes itself, the SDK opens a new connection for each larger body.
function handlerOf(agents: { httpAgent: HttpAgent; httpsAgent: HttpsAgent }): NodeHttpHandler {
  return new NodeHttpHandler({ ...agents, connectionTimeout: 5_000, socketTimeout: 30_000, logger: SILENT });
}

// Otherwise the handler prints warnings about busy sockets into the progress display.
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
