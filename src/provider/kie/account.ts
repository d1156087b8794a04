import { type Answer, finiteNumber, webUrl, withQuote } from '../answer.ts';
import type { ApiClient } from '../client.ts';
import type { CreditsOutcome, LinkOutcome, Provider } from '../provider.ts';
import { describeUnreadable, readEnvelope } from './envelope.ts';
import { refusedBy } from './refusal.ts';

/** Reads the answer to `POST /api/v1/common/download-url`: the envelope's `data` is the link itself. */
export function linkOutcome(answer: Answer, now: number): LinkOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 404) return { kind: 'not-found', message: read.message };
  if (read.kind === 'envelope' && read.code === 200) {
    const url = webUrl(read.data);
    return url === undefined
      ? { kind: 'unreachable', message: withQuote('code 200 without a link', answer) }
      : { kind: 'link', url };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  return { kind: 'unreachable', message: read.kind === 'envelope' ? read.message : describeUnreadable(answer, read) };
}

/** Reads the answer to `GET /api/v1/chat/credit`: the envelope's `data` is the number of remaining credits. */
export function creditsOutcome(answer: Answer, now: number): CreditsOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 200) {
    const credits = finiteNumber(read.data);
    return credits === undefined
      ? { kind: 'unreachable', message: withQuote('code 200 without a number of credits', answer) }
      : { kind: 'credits', credits };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  return { kind: 'unreachable', message: read.kind === 'envelope' ? read.message : describeUnreadable(answer, read) };
}

/** What all APIs of an account at kie share. */
export function kieAccount(
  client: ApiClient,
  uploads?: Pick<Provider, 'close'> & { upload: NonNullable<Provider['upload']> },
): Pick<Provider, 'link' | 'credits' | 'upload' | 'close'> {
  return {
    ...(uploads && { upload: uploads.upload }),
    async link(url, options = {}) {
      return client.ask(options, { method: 'POST', path: '/api/v1/common/download-url', body: { url } }, linkOutcome);
    },
    async credits(options = {}) {
      return client.ask(options, { method: 'GET', path: '/api/v1/chat/credit' }, creditsOutcome);
    },
    async close() {
      await Promise.all([client.close(), uploads?.close()]);
    },
  };
}
