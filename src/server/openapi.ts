import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../version.ts';
import type { Guard } from './access.ts';

/** Gathers the schemas of the routes that are registered after it. */
export async function describeRoutes(server: FastifyInstance): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'flux-batch',
        version: VERSION,
        description:
          'Manifests in, batches out. With SERVE_PASSWORD set, send it by basic authentication; any user name will do.',
      },
      components: { securitySchemes: { password: { type: 'http', scheme: 'basic' } } },
      security: [{ password: [] }],
    },
    // Pages, metrics and callbacks have no schema: they are not part of the API.
    transform: ({ schema, url }) => ({ schema: schema?.summary === undefined ? { hide: true } : schema, url }),
  });
}

/** `/openapi.json`. */
export function openapiRoute(guard: Guard) {
  return async (server: FastifyInstance): Promise<void> => {
    server.addHook('onRequest', guard);
    server.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(server.swagger()));
  };
}
