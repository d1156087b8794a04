import { redisUploads } from '../fleet/uploads.ts';
import type { Provider } from '../provider/provider.ts';
import { isReachableFrom } from '../provider/reachable.ts';
import type { Lane } from '../settings/lanes.ts';
import type { Inputs } from '../stages/inputs.ts';
import { inputsOf } from '../stages/send-inputs.ts';
import type { Connections } from './connections.ts';

/** How pictures of one's own come to one account. What is uploaded is known by a digest of the account's address and key. */
export function openInputs(
  { config, redis, keys, clock, archive, faults, log }: Connections,
  provider: Provider,
  { vendor, apiKey = '' }: { vendor: Lane['vendor']; apiKey: string | undefined },
): Inputs {
  const { urls, urlLifeMs, uploadUrl } = config.inputs;
  const apiUrl = vendor === 'kie' ? config.apiUrl : config.bfl.apiUrl;
  return inputsOf({
    now: clock.now,
    log,
    archive,
    provider,
    faults: faults.port,
    uploads: redisUploads(redis, keys, `${vendor === 'kie' ? uploadUrl : apiUrl} ${apiKey}`),
    settings: { urls, urlLifeMs, isReachable: (url) => isReachableFrom(apiUrl, url) },
  });
}
