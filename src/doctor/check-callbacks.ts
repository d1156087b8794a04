import { z } from 'zod';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { type Fetch, fetchBy, whyFailed } from '../network/fetch.ts';
import { withoutPassword } from '../text/scrub.ts';
import { type Check, ok, warning } from './check.ts';

const WITHIN_MS = 10_000;
const healthSchema = z.object({ status: z.literal('ok') });

/** Whether `serve` answers where the provider is told to call. What is not reached is a warning: polls find every result. */
export async function checkCallbacks({ callbackUrl, webhookKey, proxy }: Config): Promise<Check[]> {
  if (callbackUrl === undefined) return [];
  const shown = withoutPassword(callbackUrl);
  const missing = await whyNot(`${callbackUrl.replace(/\/+$/, '')}/healthz`, fetchBy(proxy));
  return [
    missing === undefined
      ? ok('callbacks', `serve answers at ${shown}, as seen from here`)
      : warning(
          'callbacks',
          `no serve at ${shown}, as seen from here: ${missing}`,
          'Start flux-batch serve there and let the way to it through (proxy, firewall). Until then results are found by polls alone.',
        ),
    ...(webhookKey === undefined
      ? [
          warning(
            'callbacks',
            'FLUX_WEBHOOK_KEY is not set: callbacks are known by their token alone',
            "Set it to the key that the provider signs with, from the provider's settings.",
          ),
        ]
      : []),
  ];
}

/** Undefined where serve answers. */
async function whyNot(url: string, ask: Fetch): Promise<string | undefined> {
  try {
    const answer = await ask(url, { redirect: 'manual', signal: AbortSignal.timeout(WITHIN_MS) });
    if (!answer.ok) {
      await answer.body?.cancel();
      return `it answers HTTP ${answer.status}`;
    }
    return healthSchema.safeParse(await answer.json()).success ? undefined : 'something else answers';
  } catch (error) {
    return messageOf(whyFailed(error));
  }
}
