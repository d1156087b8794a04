import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { boardAdapters } from '../queue/board.ts';
import type { Guard } from './access.ts';
import type { Serving } from './serving.ts';

export const BOARD_PATH = '/queues';

/** Its page asks a font service for fonts, which would tell others who looks at what: nothing comes from elsewhere. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** bull-board at /queues: the jobs as BullMQ has them. */
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
