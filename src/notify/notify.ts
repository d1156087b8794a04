import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { type Fetch, fetchBy, whyFailed } from '../network/fetch.ts';
import type { ProxySettings } from '../network/proxy.ts';

/** `text` is what Slack and its like show; whoever has a use for more finds it beside. */
export type Notification = { text: string } & Readonly<Record<string, unknown>>;

const DELAYS_MS = [500, 1_500, 4_000];
const ANSWER_WITHIN_MS = 5_000;
const NO_PROXY: ProxySettings = { http: undefined, https: undefined, no: [] };

export type NotifyOptions = { delaysMs?: readonly number[]; withinMs?: number; proxy?: ProxySettings };

/**
 * POSTs it as JSON, and again a few times where nobody answers or the server is in trouble. Resolves with why it was not delivered,
 * undefined when it was. The address is the user's own: it is not checked, and it is a secret (Slack's are).
 */
export async function notify(
  url: string,
  notification: Notification,
  { delaysMs = DELAYS_MS, withinMs = ANSWER_WITHIN_MS, proxy = NO_PROXY }: NotifyOptions = {},
): Promise<string | undefined> {
  let body: Notification = { ...notification, text: withoutMarkup(notification.text) };
  for (const delayMs of [...delaysMs, undefined]) {
    const failure = await post(url, body, withinMs, fetchBy(proxy));
    if (failure === undefined) return undefined;
    // A server may take no fields but its own.
    if (failure.status === 400) body = { text: body.text };
    else if (!failure.isTransient) return failure.why;
    if (delayMs === undefined) return failure.why;
    await sleep(delayMs);
  }
  return undefined;
}

type Failure = { why: string; status: number | undefined; isTransient: boolean };

async function post(url: string, body: Notification, withinMs: number, ask: Fetch): Promise<Failure | undefined> {
  try {
    const answer = await ask(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(withinMs),
    });
    await answer.body?.cancel();
    if (answer.ok) return undefined;
    const { status } = answer;
    return { why: `it answered HTTP ${status}`, status, isTransient: status === 429 || status >= 500 };
  } catch (error) {
    const why = messageOf(whyFailed(error));
    return { why, status: undefined, isTransient: true };
  }
}

/** Slack takes `<!channel>` and `<https://…>` for commands and links, and messages of servers are in the text. */
function withoutMarkup(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}
