import { type ApiClient, apiClient, type ClientSettings } from '../client.ts';
import { linkByPoll } from '../link-by-poll.ts';
import { requestBody } from '../models/request-body.ts';
import type { Models } from '../models/sheet.ts';
import type { CallOptions, PollOutcome, Provider } from '../provider.ts';
import { creditsOutcome } from './account.ts';
import { BFL_FACTS } from './facts.ts';
import { askedAt, isOurs } from './handle.ts';
import { pollOutcome } from './poll-outcome.ts';
import { submitOutcome } from './submit-outcome.ts';
import { webhookSecret } from './webhook.ts';

export type BflSettings = ClientSettings & { models: Models['bfl'] };

const NOT_OURS = 'its polling URL is at no host of the provider, and the key is sent nowhere else';

/**
 * Black Forest Labs over HTTP. Its handle is the polling URL, which names a cluster, or the task's id where there is none. A result
 * has one URL, for ten minutes; whether another poll signs it anew is not documented, and is tried when it is dead.
 */
export function bfl({ models, ...settings }: BflSettings): Provider {
  const api = new URL(settings.apiUrl);
  const clients = new Map<string, ApiClient>();
  const secret = webhookSecret(settings.apiKey);

  function clientAt(apiUrl: string): ApiClient {
    const client = clients.get(apiUrl) ?? apiClient({ ...settings, apiUrl, keyHeader: 'x-key' });
    clients.set(apiUrl, client);
    return client;
  }

  async function poll(handle: string, options: CallOptions = {}): Promise<PollOutcome> {
    const at = askedAt(handle, api);
    if (!at) return { kind: 'not-found', message: NOT_OURS };
    return clientAt(at.origin).ask(options, { method: 'GET', path: at.path }, (answer, now) =>
      pollOutcome(answer, handle, now),
    );
  }

  return {
    facts: BFL_FACTS,
    async submit(request, options = {}) {
      const fitted = requestBody(request, models);
      if ('refused' in fitted) return fitted.refused;
      const { callBackUrl } = options;
      const webhook = callBackUrl === undefined ? {} : { webhook_url: callBackUrl, webhook_secret: secret };
      const path = `/v1/${request.model.split('/').map(encodeURIComponent).join('/')}`;
      const body = { ...fitted.body, ...webhook };
      return clientAt(settings.apiUrl).submit({ path, body }, options, (answer, now) =>
        submitOutcome(answer, (url) => isOurs(url, api), now),
      );
    },
    poll,
    async link(handle, options = {}) {
      return linkByPoll(await poll(handle, options));
    },
    async credits(options = {}) {
      return clientAt(settings.apiUrl).ask(options, { method: 'GET', path: '/v1/credits' }, creditsOutcome);
    },
    inlineOf: ({ body }) => body.toString('base64'),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}
