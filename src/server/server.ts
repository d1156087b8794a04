import { type FastifyInstance, fastify } from 'fastify';
import { UsageError } from '../errors.ts';
import { guardFor } from './access.ts';
import { board } from './board.ts';
import { callbacksRoute } from './callbacks-route.ts';
import { healthRoutes } from './health-routes.ts';
import { metricsRoute } from './metrics-route.ts';
import { pages } from './pages.ts';
import type { Serving } from './serving.ts';

/** A callback token contains the names of a batch and an item, so it may be longer than fastify's default limit of 100. */
const MOST_PARAM_LENGTH = 512;

export type RunningServer = { url: string; close(): Promise<void> };

/** Serves callbacks, metrics, health checks and pages. Throws a UsageError (`listen-failed`). */
export async function startServer(serving: Serving, at: { host: string; port: number }): Promise<RunningServer> {
  const server = await serverOf(serving);
  try {
    return { url: await server.listen(at), close: () => server.close() };
  } catch (cause) {
    await server.close();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('listen-failed', `Cannot listen on ${at.host}:${at.port}: ${reason}`, {
      hint: 'PORT or --port chooses another port, 0 a free one.',
      cause,
    });
  }
}

async function serverOf(serving: Serving): Promise<FastifyInstance> {
  const { config, log } = serving.connections;
  const guard = guardFor(config.servePassword);
  const server = fastify({
    routerOptions: { maxParamLength: MOST_PARAM_LENGTH },
    // Live pages keep their connections open, which would block closing. The browser reconnects by itself.
    forceCloseConnections: true,
    requestTimeout: 15_000,
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
  await server.register(callbacksRoute(serving));
  await server.register(healthRoutes(serving));
  await server.register(metricsRoute(serving, guard));
  await server.register(board(serving, guard));
  await server.register(pages(serving, guard));
  return server;
}
