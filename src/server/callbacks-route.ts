import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { taskIdOfBody } from '../callbacks/body.ts';
import { isSigned } from '../callbacks/signature.ts';
import { messageOf } from '../errors.ts';
import type { CallbackResult } from '../metrics/definitions.ts';
import { takeCallback } from '../stages/callback.ts';
import type { ItemRef } from '../stages/ports.ts';
import type { Serving } from './serving.ts';

const MOST_BODY_BYTES = 20 * 1_024;
const LOGGED_EVERY_MS = 60_000;

type Answer = {
  status: 200 | 400 | 401 | 404 | 503;
  result: CallbackResult;
  item?: ItemRef;
  taskId?: string;
  reason?: string;
};

/**
 * `POST /callbacks/<token>`. Answers 2xx only if the hint was taken or is no longer needed. On any other status the
 * provider calls again after 1, 5 and 15 minutes.
 */
export function callbacksRoute(serving: Serving) {
  const { log } = serving.connections;
  const warn = sampledWarnings(log);
  return async (server: FastifyInstance): Promise<void> => {
    // Accepts any content type that the provider may send.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MOST_BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    server.post<{ Params: { token: string } }>('/callbacks/:token', async (request, reply) => {
      const { status, result, item, ...facts } = await answerTo(request, serving);
      serving.metrics.countCallback(result);
      const event = { batch: item?.batch, item: item?.id, stage: 'callback', result, ...facts };
      if (status === 200) log.info(event, 'callback');
      else warn({ ...event, status });
      return reply.code(status).send({ result });
    });
  };
}

/** Anybody may send nonsense to a public address, and must not fill the log: a refusal of each kind is logged once a minute. */
function sampledWarnings(log: Serving['connections']['log']) {
  const unlogged = new Map<string, number>();
  const quiet = new LRUCache<string, true>({ max: 100, ttl: LOGGED_EVERY_MS });
  return (event: Record<string, unknown> & { status: number }) => {
    const kind = String(event.status);
    if (quiet.has(kind)) {
      unlogged.set(kind, (unlogged.get(kind) ?? 0) + 1);
      return;
    }
    const alike = unlogged.get(kind);
    unlogged.delete(kind);
    quiet.set(kind, true);
    log.warn({ ...event, ...(alike !== undefined && { alikeBefore: alike }) }, 'callback');
  };
}

async function answerTo(request: FastifyRequest<{ Params: { token: string } }>, serving: Serving): Promise<Answer> {
  const item = serving.account?.tokens.read(request.params.token);
  if (!item) return { status: 404, result: 'refused', reason: 'no token of ours' };
  const taskId = typeof request.body === 'string' ? taskIdOfBody(request.body) : undefined;
  if (taskId === undefined) return { status: 400, result: 'refused', item, reason: 'no task id in the body' };
  const { webhookKey } = serving.connections.config;
  const timestamp = header(request, 'x-webhook-timestamp');
  const signature = header(request, 'x-webhook-signature');
  if (webhookKey !== undefined && !isSigned({ taskId, timestamp, signature }, webhookKey, Date.now())) {
    return { status: 401, result: 'refused', item, taskId, reason: 'signature' };
  }
  try {
    return { status: 200, result: await takeCallback(item, taskId, serving.callbackPorts), item, taskId };
  } catch (error) {
    return { status: 503, result: 'failed', item, taskId, reason: messageOf(error) };
  }
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
