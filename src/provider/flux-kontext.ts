import type { ImageRequest } from '../items/item.ts';
import { boundedMessage, excerptOf } from '../text/bounded.ts';
import { scrubber } from '../text/scrub.ts';
import { type ApiCall, type ApiSettings, apiCalls } from './api-calls.ts';
import type { Answer } from './envelope.ts';
import { creditsOutcome, linkOutcome, submitOutcome } from './outcomes.ts';
import { pollOutcome } from './poll-outcome.ts';
import type { CallOptions, Provider, SubmitOptions } from './provider.ts';

/** Timeouts are from the call to the last byte of the answer. */
export type FluxKontextSettings = ApiSettings & {
  submitTimeoutMs: number;
  /** Of every call but a submit. */
  pollTimeoutMs: number;
};

/** The Flux Kontext API over HTTP. The port `Provider` says what its methods promise. */
export function fluxKontext(settings: FluxKontextSettings): Provider {
  const { call, close } = apiCalls(settings);
  const scrub = scrubber([settings.apiKey]);

  /** A server may repeat the key that it refuses, or a signed URL that it could not read. It may also send a megabyte. */
  function withoutSecrets<Outcome extends object>(outcome: Outcome): Outcome {
    if (!('message' in outcome) || typeof outcome.message !== 'string') return outcome;
    return { ...outcome, message: boundedMessage(scrub(outcome.message)) };
  }

  /** Scrubbed before it is cut: half of a key would not be known as one. */
  function quotable(answer: Answer): Answer {
    return {
      ...answer,
      get said() {
        return excerptOf(scrub(answer.text));
      },
    };
  }

  /** For the calls that cost nothing: it does not matter whether one without an answer was sent. */
  async function ask<Outcome extends object>(
    options: CallOptions,
    request: Pick<ApiCall, 'method' | 'path' | 'body'>,
    outcomeOf: (answer: Answer, now: number) => Outcome,
  ): Promise<Outcome | { kind: 'unreachable'; message: string }> {
    const result = await call({ ...request, ...options, timeoutMs: settings.pollTimeoutMs });
    if (result.kind !== 'answer') return withoutSecrets({ kind: 'unreachable', message: result.message });
    return withoutSecrets(outcomeOf(quotable(result.answer), Date.now()));
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
          return withoutSecrets(submitOutcome(quotable(result.answer), Date.now()));
        case 'not-sent':
          return { kind: 'not-sent', message: result.message };
        case 'lost':
          return { kind: 'unknown', message: result.message };
      }
    },
    async poll(taskId, options = {}) {
      const path = `/api/v1/flux/kontext/record-info?taskId=${encodeURIComponent(taskId.toWellFormed())}`;
      return ask(options, { method: 'GET', path }, pollOutcome);
    },
    async link(url, options = {}) {
      return ask(options, { method: 'POST', path: '/api/v1/common/download-url', body: { url } }, linkOutcome);
    },
    async credits(options = {}) {
      return ask(options, { method: 'GET', path: '/api/v1/chat/credit' }, creditsOutcome);
    },
    close,
  };
}
