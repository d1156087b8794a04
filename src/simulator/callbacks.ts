import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { ImageUrls } from './image-urls.ts';
import type { Counts } from './ledger.ts';
import type { Settings } from './options.ts';
import { requestOf } from './parameters.ts';
import { webhookOf } from './personalities/bfl.ts';
import { jobCallback } from './personalities/kie-jobs.ts';
import type { Random } from './random.ts';
import type { Task } from './tasks.ts';

/** The waits after an attempt that got no 2xx. Multiplied by `timeScale`. */
const RETRY_WAITS_MS = [60_000, 300_000, 900_000];
const BFL_RETRY_WAITS_MS = [1_000, 5_000, 30_000];

export type Callbacks = {
  /** Calls back if the task has a callback URL. Never throws. */
  taskEnded(task: Task): void;
  close(): Promise<void>;
};

export function createCallbacks(
  settings: Settings,
  random: Random,
  urls: ImageUrls,
  counts: Counts['callbacks'],
): Callbacks {
  const agent = new Agent({ keepAliveTimeout: 10_000 });
  const closing = new AbortController();
  const timers = new Set<NodeJS.Timeout>();

  async function call(task: Task, url: string, attempt: number): Promise<void> {
    counts.attempts += 1;
    if (await isDelivered(task, url)) {
      counts.delivered += 1;
      return;
    }
    if (closing.signal.aborted) return;
    counts.failed += 1;
    const waitMs = (task.api === 'bfl' ? BFL_RETRY_WAITS_MS : RETRY_WAITS_MS)[attempt];
    if (waitMs === undefined) {
      counts.givenUp += 1;
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      void call(task, url, attempt + 1);
    }, waitMs * settings.timeScale).unref();
    timers.add(timer);
  }

  async function isDelivered(task: Task, url: string): Promise<boolean> {
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(settings.callbackTimeoutMs)]),
        ...callOf(task),
      });
      await answer.body.dump();
      return answer.statusCode >= 200 && answer.statusCode < 300;
    } catch {
      // Refused, reset or timed out: each leads to a retry.
      return false;
    }
  }

  function callOf(task: Task): { headers: Record<string, string>; body: string } {
    const json = { 'content-type': 'application/json' };
    if (task.api !== 'bfl') {
      const headers = { ...json, ...signatureOf(task.id, settings.webhookKey) };
      return { headers, body: JSON.stringify(callbackBody(task, urls, settings.callbackSnakeCase)) };
    }
    const webhook = webhookOf(task, urls.of(task).originImageUrl);
    const body = JSON.stringify(webhook.body);
    const signature = `sha256=${createHmac('sha256', webhook.secret).update(body).digest('hex')}`;
    return { headers: { ...json, 'x-bfl-signature': signature }, body };
  }

  return {
    taskEnded(task) {
      const url = requestOf(task.paramJson).callBackUrl;
      if (url === undefined) return;
      if (random() < settings.callbackLostShare) {
        counts.lost += 1;
        return;
      }
      void call(task, url, 0);
      if (random() < settings.callbackDuplicateShare) void call(task, url, 0);
    },
    async close() {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
      await agent.destroy();
    },
  };
}

/** The provider's signature covers the task id and the time, not the body. */
function signatureOf(taskId: string, key: string): Record<string, string> {
  if (key === '') return {};
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', key).update(`${taskId}.${timestamp}`).digest('base64');
  return { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature };
}

function callbackBody(task: Task, urls: ImageUrls, snakeCase: boolean) {
  if (task.api === 'jobs') return jobCallback(task, urls.stored(task), snakeCase);
  const id = snakeCase ? { task_id: task.id } : { taskId: task.id };
  const { ending } = task;
  return ending.flag === 1
    ? { code: 200, msg: 'success', data: { ...id, info: urls.of(task) } }
    : {
        code: ending.errorCode,
        msg: ending.errorMessage,
        data: { ...id, info: { originImageUrl: '', resultImageUrl: '' } },
      };
}
