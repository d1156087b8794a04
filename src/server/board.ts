import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { boardAdapters } from '../queue/board.ts';
import type { Guard } from './access.ts';
import type { Serving } from './serving.ts';

export const BOARD_PATH = '/queues';

/**
 * bull-board's page loads fonts from a font service, which would tell that service who looks at what. The policy allows our
 * own origin only.
 */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** bull-board at /queues: shows the jobs as BullMQ stores them. */
export function board({ connections: { queues } }: Serving, guard: Guard) {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: boardAdapters(queues),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'flux-batch', hideRedisDetails: true } },
  });
  return async (server: FastifyInstance): Promise<void> => {
    server.addHook('onRequest', guard);
    server.addHook('onRequest', async (_request, reply) => {
      reply.headers({
        'content-security-policy': POLICY,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
    });
    await server.register(serverAdapter.registerPlugin(), { prefix: BOARD_PATH });
  };
}
