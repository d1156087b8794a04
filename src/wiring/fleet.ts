import { FluxError } from '../errors.ts';
import type { Connections } from './connections.ts';
import type { OpenedPorts } from './stage-ports.ts';

export const WORKER_STAGES = ['submit', 'poll', 'archive'] as const;
/** What a worker does: `submit` pays, `poll` waits, `archive` downloads, checks and stores. */
export type WorkerStage = (typeof WORKER_STAGES)[number];

/** After the answer to a submit its task id has to be recorded, with retries. */
const RECORDING_MS = 15_000;

/** A submit whose answer is not waited for has an unknown outcome. All else can be done again at no cost. */
export function longestDrainMs({ submitTimeoutMs }: { submitTimeoutMs: number }): number {
  return submitTimeoutMs + RECORDING_MS;
}

/** Faults that no waiting mends: a person has to. */
const STOPPING = ['archive-denied', 'archive-full'];

/** Whether work that nobody watches should stop for this fault. It goes on when the fault is mended. */
export function stopsWork(error: unknown): error is FluxError {
  return error instanceof FluxError && STOPPING.includes(error.code);
}

export type FleetOptions = {
  stages: readonly WorkerStage[];
  concurrency?: Partial<Record<WorkerStage, number>>;
  /** Told, perhaps many times, of a fault that is not an item's, such as an archive that refuses to store. */
  onTrouble: (error: unknown) => void;
  /** How often live items are counted against their jobs; 20 s by default, which is longer than any item is without one. */
  jobCheckMs?: number;
};

/** The workers of this process. */
export type Fleet = {
  /**
   * Takes nothing new, lets what is under way be recorded, and ends. False when that took longer: what is left is taken over by others,
   * or by the next start, when its locks have run out. Later calls wait for the first.
   */
  drain(withinMs?: number): Promise<boolean>;
};

/** How a command starts workers. It gets this from outside, since `src` does not import `workers`. */
export type StartFleet = (connections: Connections, ports: OpenedPorts, options: FleetOptions) => Fleet;
