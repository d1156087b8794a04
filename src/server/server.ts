import { type FastifyInstance, fastify } from 'fastify';
import { messageOf, UsageError } from '../errors.ts';
import { openClosers } from '../wiring/closers.ts';
import { guardFor, isCertainlyHere } from './access.ts';
import { batchesRoute } from './batches-route.ts';
import { board } from './board.ts';
import { callbacksRoute } from './callbacks-route.ts';
import { healthRoutes } from './health-routes.ts';
import { metricsRoute } from './metrics-route.ts';
import { describeRoutes, openapiRoute } from './openapi.ts';
import { pages } from './pages.ts';
import type { Serving } from './serving.ts';

/** A callback token contains the names of a batch and an item, so it may be longer than fastify's default limit of 100. */
const MOST_PARAM_LENGTH = 512;

/** Until a request has come as a whole: a zip with photos may take a while. */
const PAGES_WITHIN_MS = 60_000;
const CALLBACKS_WITHIN_MS = 15_000;

export type RunningServer = {
  url: string;
  /** Where callbacks are taken, when that is a port of its own. */
  callbackUrl: string | undefined;
  close(): Promise<void>;
};

/** `callbackPort`: where callbacks are taken, and nothing else is; without it, at `port` too. */
export type ServeAt = { host: string; port: number; callbackPort?: number | undefined };

/** Serves callbacks, metrics, health checks and pages. Throws a UsageError (`listen-failed`). */
export async function startServer(serving: Serving, at: ServeAt): Promise<RunningServer> {
  const closers = openClosers();
  const listen = async (server: FastifyInstance, port: number, setting: string): Promise<string> => {
    closers.push(() => server.close());
    try {
      return await server.listen({ host: at.host, port });
    } catch (cause) {
      throw new UsageError('listen-failed', `Cannot listen on ${at.host}:${port}: ${messageOf(cause)}`, {
        hint: `${setting} chooses another port, 0 a free one.`,
        cause,
      });
    }
  };
  try {
    const isApart = at.callbackPort !== undefined;
    const url = await listen(await pagesServer(serving, isApart), at.port, 'PORT or --port');
    const callbackUrl =
      at.callbackPort === undefined
        ? undefined
        : await listen(await callbackServer(serving), at.callbackPort, 'CALLBACK_PORT or --callback-port');
    return { url, callbackUrl, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function pagesServer(serving: Serving, isApart: boolean): Promise<FastifyInstance> {
  const { config, log } = serving.connections;
  const who = {
    password: config.servePassword,
    isPublic: async () => !isApart && (await serving.hasCallbacksFromOutside()),
  };
  const guard = guardFor({
    ...who,
    onGuessing: (address) => log.warn({ address }, 'wrong passwords: this address waits for a minute'),
  });
  const server = bareServer(serving, PAGES_WITHIN_MS);
  await describeRoutes(server);
  if (!isApart) await server.register(callbacksRoute(serving));
  await server.register(healthRoutes(serving, (request) => isCertainlyHere(request, who)));
  await server.register(metricsRoute(serving, guard));
  await server.register(board(serving, guard));
  await server.register(batchesRoute(serving, guard));
  await server.register(openapiRoute(guard));
  await server.register(pages(serving, guard));
  return server;
}

/** What a proxy or a tunnel may lead to from anywhere. */
async function callbackServer(serving: Serving): Promise<FastifyInstance> {
  const server = bareServer(serving, CALLBACKS_WITHIN_MS);
  await server.register(callbacksRoute(serving));
  server.get('/healthz', async () => ({ status: 'ok' }));
  return server;
}

function bareServer({ connections: { log } }: Serving, requestTimeout: number): FastifyInstance {
  const server = fastify({
    routerOptions: { maxParamLength: MOST_PARAM_LENGTH },
    // Live pages keep their connections open, which would block closing. The browser reconnects by itself.
    forceCloseConnections: true,
    requestTimeout,
  });
  server.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ path: request.routeOptions.url, reason: error.message }, 'request failed');
    return reply
      .code(status)
      .type('text/plain')
      .send(status >= 500 ? 'Something went wrong.\n' : `${error.message}\n`);
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('Nothing is here.\n'));
  return server;
}
