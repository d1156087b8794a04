import { apiClient, type ClientSettings } from '../client.ts';
import { kieAccount } from '../kie/account.ts';
import { KIE_FACTS } from '../kie/facts.ts';
import { requestBody } from '../models/request-body.ts';
import type { Models } from '../models/sheet.ts';
import type { Provider } from '../provider.ts';
import { type Lives, pollOutcome } from './poll-outcome.ts';
import { submitOutcome } from './submit-outcome.ts';

export type KieJobsSettings = ClientSettings & { models: Models['kie-jobs']; lives?: Lives };

/** The getting-started page says 14 days for media, the page of `recordInfo` 24 hours. Planned for is the shorter. */
const LIVES: Lives = { plannedMs: 24 * 3_600_000, longestMs: 14 * 86_400_000 };

/** The unified jobs API of kie.ai over HTTP. Its handle is the task id. It shares key, account and limits with Flux Kontext there. */
export function kieJobs({ models, lives = LIVES, ...settings }: KieJobsSettings): Provider {
  const client = apiClient(settings);
  return {
    facts: KIE_FACTS,
    async submit(request, options = {}) {
      const fitted = requestBody(request, models);
      if ('refused' in fitted) return fitted.refused;
      const { callBackUrl } = options;
      const job = { model: request.model, input: fitted.body };
      const body = callBackUrl === undefined ? job : { ...job, callBackUrl };
      return client.submit({ path: '/api/v1/jobs/createTask', body }, options, submitOutcome);
    },
    async poll(handle, options = {}) {
      const path = `/api/v1/jobs/recordInfo?taskId=${encodeURIComponent(handle.toWellFormed())}`;
      return client.ask(options, { method: 'GET', path }, (answer, now) => pollOutcome(answer, now, lives));
    },
    ...kieAccount(client),
  };
}
