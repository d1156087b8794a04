import { once } from 'node:events';
import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { startServer } from '../server/server.ts';
import { openServing } from '../server/serving.ts';
import { say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { sayWarnings } from './print.ts';
import { onStopSignals } from './signals.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch serve                                   http://127.0.0.1:8787/, for this machine
  $ SERVE_PASSWORD=… flux-batch serve --host 0.0.0.0   for others too, by password
  $ FLUX_CALLBACK_URL=https://flux.example.org flux-batch worker
                                                       submits ask for callbacks to where serve can be reached
  $ flux-batch serve --callback-port 8788              a proxy may lead to 8788: only callbacks are there

Paths:
  /  /batches/<name>    batches and their pictures, live        /queues     the jobs, as BullMQ has them
  /callbacks/<token>    what the provider calls (POST)          /metrics    for Prometheus
  /healthz  /readyz     whether it runs; whether Redis and the archive answer

Without SERVE_PASSWORD, pages, queues and metrics are for this machine only, wherever the port is open to. Where callbacks from outside
come in by the same port, they are for nobody then: set a password, or --callback-port. METRICS_TOKEN lets a scraper in.
`;

type Flags = ConfigFlags & { host: string; port?: string; callbackPort?: string };

/** `flux-batch serve`: serves callbacks, metrics, health checks and pages until it is stopped. */
export function serveCommand(): Command {
  return withConfigOptions(new Command('serve'))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one (PORT, 8787)')
    .option(
      '--callback-port <port>',
      'take callbacks at a port of their own, which a proxy may lead to (CALLBACK_PORT)',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => {
      const config = loadConfig({
        ...overridesOf(flags),
        ...(flags.port === undefined ? {} : { PORT: flags.port }),
        ...(flags.callbackPort === undefined ? {} : { CALLBACK_PORT: flags.callbackPort }),
      });
      await withConnections(config, { ...LOOK, logLevel: 'info' }, async (connections) => {
        sayWarnings(connections);
        const serving = await openServing(connections);
        const server = await startServer(serving, {
          host: flags.host,
          port: config.port,
          callbackPort: config.callbackPort,
        });
        connections.closers.push(() => server.close());
        // Before it says that it serves: whoever reads that may stop it at once.
        const stop = onStopSignals({ stopsForFaults: false, saying: 'closing.' });
        say(`flux-batch serves ${server.url}`);
        if (server.callbackUrl !== undefined) say(`callbacks: ${server.callbackUrl}`);
        for (const warning of withoutKeys(connections)) say(`warning: ${warning}`);
        if (!stop.signal.aborted) await once(stop.signal, 'abort');
        stop.dispose();
        if (stop.fault) throw stop.fault;
      });
    });
}

/** What this process does not do for accounts that it lacks the key of. */
function withoutKeys({ lanes }: Pick<Connections, 'lanes'>): string[] {
  const lacking = lanes.filter(
    ({ lane }) => lane.apiKey === undefined && lane.share > 0 && (lane.isNamed || lane.vendor === 'kie'),
  );
  return lacking.map(({ lane }) => {
    const of = lane.isNamed ? ` of lane ${lane.name}` : '';
    return `${lane.keyVariable} is not set: callbacks${of} are not taken, credits not shown`;
  });
}
