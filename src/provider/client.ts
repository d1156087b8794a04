import { boundedMessage, excerptOf } from '../text/bounded.ts';
import { scrubber } from '../text/scrub.ts';
import type { Answer } from './answer.ts';
import { type ApiCall, type ApiSettings, apiCalls } from './api-calls.ts';
import type { CallOptions, SubmitOptions, SubmitOutcome } from './provider.ts';

/** Timeouts are from the call to the last byte of the answer. */
export type ClientSettings = ApiSettings & {
  submitTimeoutMs: number;
  /** Of every call but a submit. */
  pollTimeoutMs: number;
};

type Unreachable = { kind: 'unreachable'; message: string };

/**
 * What every adapter does alike: calls by HTTP whose answers become outcomes, without secrets in what a person may read. `OutcomeOf`
 * functions are the adapter's own and pure.
 */
export type ApiClient = {
  submit(
    request: { path: string; body: unknown },
    options: SubmitOptions,
    outcomeOf: (answer: Answer, now: number) => SubmitOutcome,
  ): Promise<SubmitOutcome>;
  /** For the calls that cost nothing: it does not matter whether one without an answer was sent. */
  ask<Outcome extends object>(
    options: CallOptions,
    request: Pick<ApiCall, 'method' | 'path' | 'body' | 'form'> & { timeoutMs?: number },
    outcomeOf: (answer: Answer, now: number) => Outcome,
  ): Promise<Outcome | Unreachable>;
  close(): Promise<void>;
};

export function apiClient(settings: ClientSettings): ApiClient {
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

  return {
    async submit(request, { signal, onSent }, outcomeOf) {
      const result = await call({
        ...request,
        method: 'POST',
        timeoutMs: settings.submitTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(onSent === undefined ? {} : { onSent }),
      });
      switch (result.kind) {
        case 'answer':
          return withoutSecrets(outcomeOf(quotable(result.answer), Date.now()));
        case 'not-sent':
          return { kind: 'not-sent', message: result.message };
        case 'lost':
          return { kind: 'unknown', message: result.message };
      }
    },
    async ask(options, request, outcomeOf) {
      const { signal, onSent } = options;
      const { timeoutMs = settings.pollTimeoutMs } = request;
      const result = await call({
        ...request,
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(onSent === undefined ? {} : { onSent }),
      });
      if (result.kind !== 'answer') return withoutSecrets({ kind: 'unreachable' as const, message: result.message });
      return withoutSecrets(outcomeOf(quotable(result.answer), Date.now()));
    },
    close,
  };
}
