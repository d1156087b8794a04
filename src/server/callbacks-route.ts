import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { taskIdOfBody } from '../callbacks/body.ts';
import { isSigned } from '../callbacks/signature.ts';
import { messageOf } from '../errors.ts';
import type { CallbackResult } from '../metrics/definitions.ts';
import { idOf } from '../provider/bfl/handle.ts';
import { idOfWebhook, isSignedByBfl, webhookSecret } from '../provider/bfl/webhook.ts';
import { takeCallback } from '../stages/callback.ts';
import type { ItemRef } from '../stages/ports.ts';
import type { CalledLane, Serving } from './serving.ts';

const MOST_BODY_BYTES = 20 * 1_024;
const LOGGED_EVERY_MS = 60_000;

type Answer = {
  status: 200 | 400 | 401 | 404 | 503;
  result: CallbackResult;
  item?: ItemRef;
  taskId?: string;
  reason?: string;
};

type Params = { token: string; lane?: string };
type Called = { Params: Params };
type Request = FastifyRequest<Called>;
type CallingLane = CalledLane['lane'];

/**
 * `POST /callbacks/<token>`, and the same for other accounts than the default one. Answers 2xx only if the hint was taken or is no longer needed. On any other status the
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
    const answering = (pathOf: (params: Params) => string) => async (request: Request, reply: FastifyReply) => {
      const { status, result, item, ...facts } = await answerTo(request, pathOf(request.params), serving);
      serving.metrics.countCallback(result);
      const event = { batch: item?.batch, item: item?.id, stage: 'callback', result, ...facts };
      if (status === 200) log.info(event, 'callback');
      else warn({ ...event, status });
      return reply.code(status).send({ result });
    };
    server.post<Called>(
      '/callbacks/:token',
      answering(() => ''),
    );
    server.post<Called>(
      '/callbacks/bfl/:token',
      answering(() => 'bfl/'),
    );
    server.post<Called>(
      '/callbacks/lane/:lane/:token',
      answering(({ lane }) => `lane/${lane}/`),
    );
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

async function answerTo(request: Request, path: string, serving: Serving): Promise<Answer> {
  const called = serving.called.find((one) => one.path === path);
  const item = called?.tokens.read(request.params.token);
  if (!called || !item) return { status: 404, result: 'refused', reason: 'no token of ours' };
  return called.lane.vendor === 'bfl'
    ? answerToBfl(request, item, called.lane, serving)
    : answerToKie(request, item, called.lane, serving);
}

async function answerToKie(request: Request, item: ItemRef, lane: CallingLane, serving: Serving): Promise<Answer> {
  const taskId = typeof request.body === 'string' ? taskIdOfBody(request.body) : undefined;
  if (taskId === undefined) return { status: 400, result: 'refused', item, reason: 'no task id in the body' };
  const { webhookKey } = lane;
  const timestamp = header(request, 'x-webhook-timestamp');
  const signature = header(request, 'x-webhook-signature');
  if (webhookKey !== undefined && !isSigned({ taskId, timestamp, signature }, webhookKey, Date.now())) {
    return { status: 401, result: 'refused', item, taskId, reason: 'signature' };
  }
  return take(item, taskId, lane, serving);
}

/**
 * BFL signs the whole body, with a secret that we have sent along. It names the task by its id: an item whose handle is the polling URL
 * of that task is meant all the same.
 */
async function answerToBfl(request: Request, item: ItemRef, lane: CallingLane, serving: Serving): Promise<Answer> {
  const body = typeof request.body === 'string' ? request.body : '';
  const id = idOfWebhook(body);
  if (id === undefined) return { status: 400, result: 'refused', item, reason: 'no task id in the body' };
  if (!isSignedByBfl(body, header(request, 'x-bfl-signature'), webhookSecret(lane.apiKey)))
    return { status: 401, result: 'refused', item, taskId: id, reason: 'signature' };
  const record = await serving.callbackPorts.records.read(item.batch, item.id).catch(() => undefined);
  const handle = record && 'taskId' in record ? record.taskId : undefined;
  return take(item, handle !== undefined && idOf(handle) === id ? handle : id, lane, serving);
}

async function take(item: ItemRef, taskId: string, lane: CallingLane, serving: Serving): Promise<Answer> {
  const called = { taskId, ...(lane.isNamed && { lane: lane.name }) };
  try {
    return { status: 200, result: await takeCallback(item, called, serving.callbackPorts), item, taskId };
  } catch (error) {
    return { status: 503, result: 'failed', item, taskId, reason: messageOf(error) };
  }
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
