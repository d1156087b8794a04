import { apiClient, type ClientSettings } from '../../../src/provider/client.ts';
import { linkByPoll } from '../../../src/provider/link-by-poll.ts';
import type { PollOutcome, Provider } from '../../../src/provider/provider.ts';
import { KEYED_FACTS } from './facts.ts';
import { balanceOutcome, pollOutcome, submitOutcome } from './outcomes.ts';
import { keyedParameters } from './parameters.ts';

/** An adapter as docs/providers.md tells to write one, for the simulator's `keyed` API, which nobody offers. */
export function keyed(settings: ClientSettings): Provider {
  const client = apiClient({ ...settings, keyHeader: 'x-token' });
  const poll = (handle: string, options: { signal?: AbortSignal } = {}): Promise<PollOutcome> =>
    client.ask(
      options,
      { method: 'GET', path: `/v2/tasks/${encodeURIComponent(handle.toWellFormed())}` },
      (answer, now) => pollOutcome(answer, handle, now),
    );
  return {
    facts: KEYED_FACTS,
    async submit(request, options = {}) {
      const fitted = keyedParameters.safeParse(request);
      if (!fitted.success)
        return { kind: 'refused', refusal: 'invalid-parameters', code: 422, message: fitted.error.message };
      const { prompt, model, outputFormat: format } = fitted.data;
      const { submitKey: key } = options;
      const body = { prompt, model, format, ...(key !== undefined && { key }) };
      return client.submit({ path: '/v2/tasks', body }, options, submitOutcome);
    },
    poll,
    async link(handle, options = {}) {
      return linkByPoll(await poll(handle, options));
    },
    async credits(options = {}) {
      return client.ask(options, { method: 'GET', path: '/v2/balance' }, balanceOutcome);
    },
    close: client.close,
  };
}
