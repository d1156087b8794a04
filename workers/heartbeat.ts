import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { BEAT_EVERY_MS, type WorkerFacts } from '../src/fleet/heartbeats.ts';
import { isLoopbackUrl } from '../src/text/loopback.ts';
import { VERSION } from '../src/version.ts';
import type { Connections } from '../src/wiring/connections.ts';

/** Tells the fleet that this process works, until it stops. The next beat makes up for one that fails. */
export function startHeartbeat(
  { config, heartbeats, routes, clock, log }: Pick<Connections, 'config' | 'heartbeats' | 'routes' | 'clock' | 'log'>,
  stages: readonly string[],
) {
  const startedAt = Date.now();
  const facts: WorkerFacts = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    stages: [...stages],
    startedAt,
    version: VERSION,
    draining: false,
    callbacksFromOutside: config.callbackUrl !== undefined && !isLoopbackUrl(config.callbackUrl),
    route: routes.route,
  };
  let stopped = false;
  const beat = () => {
    if (stopped) return;
    facts.skewMs = Date.now() - clock.now();
    // Others find by it under which names we work, also after Redis was emptied.
    Promise.all([heartbeats.beat(facts), routes.keep()]).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'no heartbeat'),
    );
  };
  const timer = setInterval(beat, BEAT_EVERY_MS);
  timer.unref();
  beat();
  return {
    drain() {
      facts.draining = true;
      beat();
    },
    async stop(): Promise<void> {
      stopped = true;
      clearInterval(timer);
      await heartbeats.leave(facts.id).catch(() => {});
    },
  };
}
