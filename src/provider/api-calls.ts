import { Pool } from 'undici';
import type { ProxyFor } from '../network/proxy.ts';
import { proxyAgent, throughProxy } from '../network/proxy-agent.ts';
import type { Answer } from './answer.ts';
import { exchange } from './exchange.ts';

export type ApiSettings = {
  /** May have a path, as some resellers need: `https://host/flux` is called at `https://host/flux/api/v1/…`. */
  apiUrl: string;
  apiKey: string;
  /** The header that it is sent in; `Authorization: Bearer` by default. */
  keyHeader?: string;
  /** `flux-batch/<version>`. Cloudflare answered 403 to requests without one. */
  userAgent: string;
  /** DNS, TCP and TLS together. */
  connectTimeoutMs: number;
  /** At least as many as calls are made at once. A submit that waits for a connection wastes its slot at the limiter. */
  connections: number;
  /** Without it, every call goes straight. */
  proxyFor?: ProxyFor;
};

export type ApiCall = {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  /** In place of a JSON body. */
  form?: { contentType: string; bytes: Buffer };
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
  signal?: AbortSignal;
  onSent?: () => void;
};

/** The answer, or why there is none: `not-sent` and `lost` mean the same as in `Exchange`. */
export type ApiResult = { kind: 'answer'; answer: Answer } | { kind: 'not-sent' | 'lost'; message: string };

/** Answers have a few hundred bytes. A longer one than this is not from the API. */
const MAX_ANSWER_BYTES = 1_000_000;
/** The longest silence within a body. */
const BODY_TIMEOUT_MS = 10_000;

/**
 * An idle connection is closed here before the server closes it. Otherwise a submit could go out on a connection that the server
 * is just closing, and its outcome would be unknown. The shortest usual timeout of a server is 5 s (Node, Apache, uvicorn). A
 * server that sends `Keep-Alive: timeout=n` is trusted up to 30 s, less the threshold. Polls share the pool, and so keep its
 * connections open for submits.
 */
const KEEP_ALIVE = { keepAliveTimeout: 4_000, keepAliveMaxTimeout: 30_000, keepAliveTimeoutThreshold: 1_500 };

/** HTTP calls to the API over one pool of connections, with the key. `call` never throws and never retries. */
export function apiCalls(settings: ApiSettings): {
  call(request: ApiCall): Promise<ApiResult>;
  close(): Promise<void>;
} {
  const api = new URL(settings.apiUrl);
  const { origin } = api;
  const prefix = api.pathname.replace(/\/+$/, '');
  const proxy = settings.proxyFor?.(api);
  const pooling = { ...KEEP_ALIVE, connections: settings.connections, pipelining: 1, allowH2: false };
  const pool = proxy
    ? proxyAgent(proxy, settings.connectTimeoutMs, pooling)
    : new Pool(origin, { ...pooling, connectTimeout: settings.connectTimeoutMs });
  let closing: Promise<void> | undefined;

  return {
    async call({ method, path, body, form, timeoutMs, signal, onSent }) {
      const result = await exchange(
        pool,
        {
          origin,
          method,
          path: `${prefix}${path}`,
          headers: headersOf(settings, body === undefined ? form?.contentType : 'application/json'),
          body: body === undefined ? (form?.bytes ?? null) : JSON.stringify(body),
          headersTimeout: timeoutMs,
          bodyTimeout: BODY_TIMEOUT_MS,
        },
        { totalTimeoutMs: timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal, onSent },
      );
      switch (result.kind) {
        case 'answer': {
          const { status, headers } = result;
          return { kind: 'answer', answer: { status, headers, text: result.body.toString('utf8') } };
        }
        case 'too-long':
          return { kind: 'lost', message: `HTTP ${result.status} with over ${MAX_ANSWER_BYTES} bytes` };
        default:
          return { kind: result.kind, message: `${result.message}${throughProxy(proxy)}` };
      }
    },
    /** Waits for the calls under way: a submit that is cut short has an unknown outcome. */
    close() {
      closing ??= pool.close();
      return closing;
    },
  };
}

function headersOf(
  { apiKey, keyHeader, userAgent }: ApiSettings,
  bodyType: string | undefined,
): Record<string, string> {
  return {
    ...(keyHeader === undefined ? { authorization: `Bearer ${apiKey}` } : { [keyHeader]: apiKey }),
    'user-agent': userAgent,
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(bodyType === undefined ? {} : { 'content-type': bodyType }),
  };
}
