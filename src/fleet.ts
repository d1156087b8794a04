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
export type Fleet = {
  /**
   * Takes nothing new, lets what is under way be recorded, and ends. False when that took longer: what is left is taken over by others,
   * or by the next start, when its locks have run out. Later calls wait for the first.
   */
  drain(withinMs?: number): Promise<boolean>;
};

/** How a command starts workers; given to it from outside, since `src` does not know `workers`. */
export type StartFleet = (connections: Connections, ports: OpenedPorts, options: FleetOptions) => Fleet;
