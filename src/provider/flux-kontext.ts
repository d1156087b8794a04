import { Pool } from 'undici';
import type { ImageRequest } from '../items/item.ts';
import { scrubber } from '../text/scrub.ts';
import type { Answer } from './envelope.ts';
import { exchange } from './exchange.ts';
import { creditsOutcome, linkOutcome, submitOutcome } from './outcomes.ts';
import { pollOutcome } from './poll-outcome.ts';
import type { CallOptions, Provider, SubmitOptions } from './provider.ts';

export type FluxKontextSettings = {
  /** May have a path, as resellers have it: `https://host/flux` is asked at `https://host/flux/api/v1/…`. */
  apiUrl: string;
  apiKey: string;
  /** `flux-batch/<version>`; without any, Cloudflare has answered 403. */
  userAgent: string;
  /** DNS, TCP and TLS together. */
  connectTimeoutMs: number;
  /** From the call to the last byte of the answer, for a submit and for every other call. */
  submitTimeoutMs: number;
  pollTimeoutMs: number;
  /** At least as many as calls are made at once: a submit that waits for a connection wastes its slot at the limiter. */
  connections: number;
};

/** Answers are a few hundred bytes; one over this is not the API's. */
const MAX_ANSWER_BYTES = 1_000_000;
/** The longest silence within an answer whose head has come. */
const STALL_MS = 10_000;

/**
 * An idle connection is dropped before the server would drop it, so that a submit hardly ever meets a closing one: that is an
 * unknown outcome. The shortest common server time is 5 s (Node, Apache, uvicorn). A server that says `Keep-Alive: timeout=n`
 * is believed up to half a minute, less the margin. Polls share the pool and so keep its connections warm for submits.
 */
const KEEP_ALIVE = { keepAliveTimeout: 4_000, keepAliveMaxTimeout: 30_000, keepAliveTimeoutThreshold: 1_500 };

type Call = { method: 'GET' | 'POST'; path: string; body?: unknown; timeoutMs: number } & Pick<
  SubmitOptions,
  'signal' | 'onSent'
>;

/** The Flux Kontext API over HTTP: see the port for what its methods promise. */
export function fluxKontext(settings: FluxKontextSettings): Provider {
  const { origin, pathname } = new URL(settings.apiUrl);
  const prefix = pathname.replace(/\/+$/, '');
  const pool = new Pool(origin, {
    ...KEEP_ALIVE,
    connections: settings.connections,
    connectTimeout: settings.connectTimeoutMs,
    pipelining: 1,
    allowH2: false,
  });

  const scrub = scrubber([settings.apiKey]);
  let closing: Promise<void> | undefined;

  /** The answer, or why there is none. */
  async function call({ method, path, body, timeoutMs, signal, onSent }: Call) {
    const result = await exchange(
      pool,
      {
        method,
        path: `${prefix}${path}`,
        headers: {
          authorization: `Bearer ${settings.apiKey}`,
          'user-agent': settings.userAgent,
          accept: 'application/json',
          'accept-encoding': 'identity',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: timeoutMs,
        bodyTimeout: STALL_MS,
      },
      { totalTimeoutMs: timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal, onSent },
    );
    switch (result.kind) {
      case 'answer':
        return { kind: 'answer', answer: answerOf(result) } as const;
      case 'too-long':
        return { kind: 'lost', message: `HTTP ${result.status} with over ${MAX_ANSWER_BYTES} bytes` } as const;
      default:
        return { kind: result.kind, message: result.message } as const;
    }
  }

  /** For the calls that cost nothing: no answer is no answer, sent or not. */
  async function ask<Outcome>(
    options: CallOptions,
    request: Pick<Call, 'method' | 'path' | 'body'>,
    outcomeOf: (answer: Answer, now: number) => Outcome,
  ): Promise<Outcome | { kind: 'unreachable'; message: string }> {
    const result = await call({ ...request, ...options, timeoutMs: settings.pollTimeoutMs });
    if (result.kind !== 'answer') return { kind: 'unreachable', message: result.message };
    return outcomeOf(result.answer, Date.now());
  }

  /** A server may repeat the key that it refuses, or a signed URL that it could not read. */
  function withoutSecrets<Outcome extends object>(outcome: Outcome): Outcome {
    if (!('message' in outcome) || typeof outcome.message !== 'string') return outcome;
    return { ...outcome, message: scrub(outcome.message) };
  }

  return {
    async submit(request: ImageRequest, { callBackUrl, signal, onSent }: SubmitOptions = {}) {
      const result = await call({
        method: 'POST',
        path: '/api/v1/flux/kontext/generate',
        body: callBackUrl === undefined ? request : { ...request, callBackUrl },
        timeoutMs: settings.submitTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(onSent === undefined ? {} : { onSent }),
      });
      switch (result.kind) {
        case 'answer':
          return withoutSecrets(submitOutcome(result.answer, Date.now()));
        case 'not-sent':
          return { kind: 'not-sent', message: result.message };
        case 'lost':
          return { kind: 'unknown', message: result.message };
      }
    },

    async poll(taskId, options = {}) {
      const path = `/api/v1/flux/kontext/record-info?taskId=${encodeURIComponent(taskId)}`;
      return withoutSecrets(await ask(options, { method: 'GET', path }, pollOutcome));
    },

    async link(url, options = {}) {
      const path = '/api/v1/common/download-url';
      return withoutSecrets(await ask(options, { method: 'POST', path, body: { url } }, linkOutcome));
    },

    async credits(options = {}) {
      return withoutSecrets(await ask(options, { method: 'GET', path: '/api/v1/chat/credit' }, creditsOutcome));
    },

    /** Waits for the calls under way: to cut a submit short would make its outcome unknown. */
    close() {
      closing ??= pool.close();
      return closing;
    },
  };
}

function answerOf({ status, headers, body }: { status: number; headers: Answer['headers']; body: Buffer }): Answer {
  return { status, headers, text: body.toString('utf8') };
}
