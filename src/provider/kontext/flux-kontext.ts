import type { ImageRequest } from '../../items/item.ts';
import { apiClient, type ClientSettings } from '../client.ts';
import { kieAccount } from '../kie/account.ts';
import { KIE_FACTS } from '../kie/facts.ts';
import { kieUploads } from '../kie/upload.ts';
import type { Provider, SubmitOptions } from '../provider.ts';
import { type Lives, pollOutcome } from './poll-outcome.ts';
import { submitOutcome } from './submit-outcome.ts';

/** `uploadUrl`: where the account's files are. */
export type FluxKontextSettings = ClientSettings & { lives?: Lives; uploadUrl?: string };

/** As the API notes have it. */
const LIVES: Lives = { originMs: 600_000, storedMs: 14 * 86_400_000 };

/** The Flux Kontext API over HTTP. The port `Provider` says what its methods promise. Its handle is the task id. */
export function fluxKontext({ lives = LIVES, uploadUrl, ...settings }: FluxKontextSettings): Provider {
  const client = apiClient(settings);
  return {
    facts: KIE_FACTS,
    async submit(request: ImageRequest, options: SubmitOptions = {}) {
      const { callBackUrl } = options;
      const body = callBackUrl === undefined ? request : { ...request, callBackUrl };
      return client.submit({ path: '/api/v1/flux/kontext/generate', body }, options, submitOutcome);
    },
    async poll(handle, options = {}) {
      const path = `/api/v1/flux/kontext/record-info?taskId=${encodeURIComponent(handle.toWellFormed())}`;
      return client.ask(options, { method: 'GET', path }, (answer, now) => pollOutcome(answer, now, lives));
    },
    ...kieAccount(client, uploadUrl === undefined ? undefined : kieUploads(settings, uploadUrl)),
  };
}
