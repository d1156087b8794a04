import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { exposition, merged } from '../metrics/exposition.ts';
import { type Guard, tokenOrGuarded } from './access.ts';
import { awayFamilies } from './diagnosis-families.ts';
import { familiesOf } from './families.ts';
import { scraper } from './scrape.ts';
import type { Serving } from './serving.ts';
import { unlessAway } from './unless-away.ts';

/**
 * `GET /metrics`: the metrics of this process (prom-client), of the fleet, and of BullMQ. The fleet's numbers are in Redis,
 * so every `serve` process reports all of them: scrape only one, or deduplicate.
 */
export function metricsRoute(serving: Serving, guard: Guard) {
  const ownProcess = new Registry();
  collectDefaultMetrics({ register: ownProcess });
  const scrape = scraper(serving);
  return async (server: FastifyInstance): Promise<void> => {
    server.get(
      '/metrics',
      { preHandler: tokenOrGuarded(serving.connections.config.metricsToken, guard) },
      async (_request, reply) => {
        const own = await ownProcess.metrics();
        reply.type('text/plain; version=0.0.4; charset=utf-8');
        const asked = await unlessAway(serving.presence, scrape);
        if ('away' in asked) return reply.send(`${exposition(awayFamilies(asked.away))}${own}`);
        const fleet = asked.answer;
        return reply.send(`${exposition(familiesOf(fleet))}${merged(fleet.queues)}${own}`);
      },
    );
  };
}
