import { redisUploads } from '../fleet/uploads.ts';
import type { Provider } from '../provider/provider.ts';
import { isReachableFrom } from '../provider/reachable.ts';
import type { Inputs } from '../stages/inputs.ts';
import { inputsOf } from '../stages/send-inputs.ts';
import type { Connections } from './connections.ts';

/** How pictures of one's own come to one account. `account`: what tells it from others; a secret, of which only a digest is stored. */
export function openInputs(
  { config, redis, keys, clock, archive, faults, log }: Connections,
  provider: Provider,
  { apiUrl, account }: { apiUrl: string; account: string },
): Inputs {
  const { urls, urlLifeMs } = config.inputs;
  return inputsOf({
    now: clock.now,
    log,
    archive,
    provider,
    faults: faults.port,
    uploads: redisUploads(redis, keys, account),
    settings: { urls, urlLifeMs, isReachable: (url) => isReachableFrom(apiUrl, url) },
  });
}
