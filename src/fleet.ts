import type { Connections } from './connections.ts';
import type { OpenedPorts } from './stage-ports.ts';

export const WORKER_STAGES = ['submit', 'poll', 'archive'] as const;
export type WorkerStage = (typeof WORKER_STAGES)[number];

export type FleetOptions = {
  stages: readonly WorkerStage[];
  concurrency?: Partial<Record<WorkerStage, number>>;
  /** A fault that is not an item's, such as an archive that refuses to store; may be told many times. */
  onTrouble: (error: unknown) => void;
};

/** The workers of this process. */
export type Fleet = { drain(): Promise<void> };

/** How a command starts workers; given to it from outside, since `src` does not know `workers`. */
export type StartFleet = (connections: Connections, ports: OpenedPorts, options: FleetOptions) => Fleet;
