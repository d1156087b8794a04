import { loadConfig } from '../../src/config.ts';
import { type Connections, connect } from '../../src/wiring/connections.ts';
import { WORKER_STAGES } from '../../src/wiring/fleet.ts';
import { type OpenedPorts, openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';

export type LocalFleet = { connections: Connections; ports: OpenedPorts; troubles: unknown[]; stop(): Promise<void> };

/** A worker of all stages in this process, whose ports a test may change. */
export async function startLocalFleet(
  environment: Record<string, string>,
  change: (ports: OpenedPorts, connections: Connections) => OpenedPorts = (ports) => ports,
): Promise<LocalFleet> {
  const connections = await connect(loadConfig(environment), { patient: true, prove: false });
  const ports = change(await openPorts(connections), connections);
  const troubles: unknown[] = [];
  const fleet = startFleet(connections, ports, {
    stages: WORKER_STAGES,
    onTrouble: (error) => troubles.push(error),
  });
  return {
    connections,
    ports,
    troubles,
    async stop() {
      await fleet.drain();
      await connections.closers.closeAll();
    },
  };
}
