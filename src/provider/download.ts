import { Agent, type Dispatcher, type ProxyAgent } from 'undici';
import type { ProxyFor } from '../network/proxy.ts';
import { proxyAgent, throughProxy } from '../network/proxy-agent.ts';
import { decoded, encodingsIn } from './content-encoding.ts';
import { type Exchange, type ExchangeOptions, exchange, type ResponseHeaders } from './exchange.ts';
import type { Room } from './growing-body.ts';
import { AddressRefused, publicLookup } from './public-lookup.ts';
import { type Sink, streamedBody } from './streamed-body.ts';
import { allowedHosts, refusalOf, refusalOfName } from './url-check.ts';

/** The outcome of a download. */
export type DownloadOutcome =
  | { kind: 'body'; body: Buffer; contentType: string | undefined }
  /** 403, 404 or 410: the file does not exist, or no longer. */
  | { kind: 'gone'; status: number }
  /** Refused by the address check. */
  | { kind: 'refused'; message: string }
  /** Longer than permitted, and not read to its end. */
  | { kind: 'too-long'; message: string }
  /** A transient failure: a reset, a timeout, 5xx, a body shorter than declared. A retry may help. */
  | { kind: 'broken'; message: string };

/**
 * Downloads the whole body of a public URL, without credentials. An error of the server or the network is an outcome,
 * never an exception.
 */
export type Download = (url: string, options: DownloadOptions) => Promise<DownloadOutcome>;
/** The same, piece by piece and up to `maxBytes`: for what is too long for memory. What is encoded stays so. */
export type Stream = (url: string, options: { maxBytes: number; sink: Sink }) => Promise<StreamOutcome>;
export type StreamOutcome =
  | { kind: 'streamed'; isWhole: boolean }
  | Exclude<DownloadOutcome, { kind: 'body' | 'too-long' }>;

export type DownloadOptions = {
  maxBytes: number;
  room?: Room;
  signal?: AbortSignal;
};

export type DownloadSettings = {
  /** Hosts that skip the address check and may use plain http: `host` (any port) or `host:port`. */
  allow: readonly string[];
  userAgent: string;
  maxRedirects: number;
  /** DNS, TCP and TLS together. */
  connectTimeoutMs: number;
  /** From the request to the headers of the answer. */
  headersTimeoutMs: number;
  /** The longest silence within a body. */
  bodyTimeoutMs: number;
  /** The whole download, including redirects. A stream may take five times as long. */
  totalTimeoutMs: number;
  /** Without it, every request goes straight. */
  proxyFor?: ProxyFor;
};

const REDIRECTS = [301, 302, 303, 307, 308];
const GONE = [403, 404, 410];
/** 203: a proxy has changed something on the way. 206: see `isWholeRange`. */
const WHOLE = [200, 203, 206];

/**
 * Downloads over HTTP. The address check prevents server-side request forgery (SSRF): the URL comes from the provider.
 * `close` aborts downloads that are running.
 */
export function httpDownload(settings: DownloadSettings): {
  download: Download;
  stream: Stream;
  close(): Promise<void>;
} {
  const isAllowed = allowedHosts(settings.allow);
  const common = { headersTimeout: settings.headersTimeoutMs, bodyTimeout: settings.bodyTimeoutMs, allowH2: true };
  // Two agents, because a connection that was opened without the check must never be reused for a host that needs it.
  const unchecked = new Agent({ ...common, connect: { timeout: settings.connectTimeoutMs } });
  const checked = new Agent({ ...common, connect: { timeout: settings.connectTimeoutMs, lookup: publicLookup() } });
  const proxied = new Map<string, ProxyAgent>();

  function dispatcherOf(url: URL, proxy: URL | undefined): Dispatcher {
    if (!proxy) return isAllowed(url) ? unchecked : checked;
    const agent = proxied.get(proxy.href) ?? proxyAgent(proxy, settings.connectTimeoutMs, common);
    proxied.set(proxy.href, agent);
    return agent;
  }

  /** The answer that redirects lead to. */
  async function follow(from: string, asked: Asked, totalTimeoutMs = settings.totalTimeoutMs): Promise<Followed> {
    const deadline = performance.now() + totalTimeoutMs;
    let next = from;
    for (let hop = 0; hop <= settings.maxRedirects; hop++) {
      if (!URL.canParse(next)) return { kind: 'refused', message: 'not a URL' };
      const url = new URL(next);
      const proxy = settings.proxyFor?.(url);
      // The proxy looks the name up. What that comes to is not seen here, so the name itself is judged.
      const refusal = refusalOf(url, isAllowed(url)) ?? (proxy && !isAllowed(url) ? refusalOfName(url) : undefined);
      if (refusal !== undefined) return { kind: 'refused', message: refusal };
      const result = await exchange(
        dispatcherOf(url, proxy),
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: 'GET',
          headers: { 'user-agent': settings.userAgent, accept: 'image/*, */*;q=0.5', 'accept-encoding': 'identity' },
        },
        { ...asked, totalTimeoutMs: Math.max(0, deadline - performance.now()) },
      );
      const location = redirectOf(result);
      if (location === undefined) return { result, proxy };
      if (!URL.canParse(location, url.href)) return { kind: 'broken', message: 'a redirect to what is no URL' };
      next = new URL(location, url).href;
    }
    return { kind: 'broken', message: `more than ${settings.maxRedirects} redirects` };
  }

  return {
    async download(from, options) {
      const { maxBytes, room, signal } = options;
      const found = await follow(from, { maxBytes, room, signal });
      return 'kind' in found ? found : outcomeOf(found.result, options, found.proxy);
    },
    stream: (from, { maxBytes, sink }) =>
      streamedFrom(
        (bodyFor) => follow(from, { maxBytes, bodyFor }, STREAM_TIMES * settings.totalTimeoutMs),
        (readOnAfter) => streamedBody(sink, maxBytes, readOnAfter),
      ),
    async close() {
      await Promise.all([unchecked, checked, ...proxied.values()].map((agent) => agent.destroy()));
    },
  };
}

function redirectOf(result: Exchange): string | undefined {
  if (result.kind !== 'answer' && result.kind !== 'too-long') return undefined;
  return REDIRECTS.includes(result.status) ? textOf(result.headers.location) : undefined;
}

type Asked = Omit<ExchangeOptions, 'totalTimeoutMs'>;
type Followed = { result: Exchange; proxy: URL | undefined } | Extract<DownloadOutcome, { kind: 'refused' | 'broken' }>;

async function streamedFrom(
  follow: (bodyFor: ExchangeOptions['bodyFor']) => Promise<Followed>,
  open: (readOnAfter: (isReady: Promise<void>) => void) => ReturnType<typeof streamedBody>,
): Promise<StreamOutcome> {
  let streamed: ReturnType<typeof streamedBody> | undefined;
  const found = await follow((status, readOnAfter) => {
    streamed = WHOLE.includes(status) ? open(readOnAfter) : undefined;
    return streamed?.body;
  });
  if ('kind' in found) return found;
  const { result, proxy } = found;
  // What has come is handed on to its end, whatever became of the rest.
  const isTaken = await streamed?.taken().then(
    () => true,
    () => false,
  );
  const failure = failureOf(result, proxy);
  if (failure) return failure;
  if (!isTaken) return { kind: 'broken', message: 'what came was not taken' };
  return { kind: 'streamed', isWhole: result.kind === 'answer' };
}

/** A stream may be ten times as long as what is held in memory. */
const STREAM_TIMES = 5;

/** No message contains the URL: it may be signed. Undefined where a body came that may be what was asked for. */
function failureOf(
  result: Exchange,
  proxy: URL | undefined,
): Extract<DownloadOutcome, { kind: 'refused' | 'broken' | 'gone' }> | undefined {
  if (result.kind === 'not-sent' || result.kind === 'lost') {
    if (result.cause instanceof AddressRefused) return { kind: 'refused', message: result.message };
    return { kind: 'broken', message: `${result.message}${throughProxy(proxy)}` };
  }
  const { status } = result;
  if (GONE.includes(status)) return { kind: 'gone', status };
  return WHOLE.includes(status) ? undefined : { kind: 'broken', message: `HTTP ${status}` };
}

/** The outcome of a request that was not redirected. */
async function outcomeOf(result: Exchange, options: DownloadOptions, proxy: URL | undefined): Promise<DownloadOutcome> {
  const failure = failureOf(result, proxy);
  if (failure) return failure;
  if (result.kind !== 'answer') return tooLong(options);
  const { status, headers } = result;
  const { body } = result;
  const announced = Number(headers['content-length'] ?? body.length);
  // Over HTTP/2 nobody else compares them.
  if (body.length < announced) return { kind: 'broken', message: `${body.length} of ${announced} bytes` };
  if (status === 206 && !isWholeRange(textOf(headers['content-range']), body.length))
    return { kind: 'broken', message: 'HTTP 206 with a part of the file' };
  return bodyOutcome(body, headers, options);
}

async function bodyOutcome(came: Buffer, headers: ResponseHeaders, options: DownloadOptions): Promise<DownloadOutcome> {
  if (came.length === 0) return { kind: 'broken', message: 'an empty body' };
  const encodings = encodingsIn(headers['content-encoding']);
  // How long it will be is not known before.
  if (encodings.length > 0) await options.room?.enter();
  const body = await decoded(came, encodings, options.maxBytes);
  if (!body) return tooLong(options);
  return { kind: 'body', body, contentType: textOf(headers['content-type']) };
}

function tooLong({ maxBytes }: DownloadOptions): DownloadOutcome {
  return { kind: 'too-long', message: `a body over ${maxBytes} bytes` };
}

/** `bytes 0-99/100`. A server may answer so though no range was asked for. */
function isWholeRange(range: string | undefined, bytes: number): boolean {
  const [, first, last, all] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(range ?? '') ?? [];
  return Number(first) === 0 && Number(last) === bytes - 1 && (all === '*' || Number(all) === bytes);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
