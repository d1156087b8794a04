import { FluxError } from '../src/errors.ts';
import type { FaultKind, Faults } from '../src/stages/ports.ts';
import type { RunStage } from './only-our-route.ts';

const KINDS = ['archive-unreachable', 'archive-denied', 'archive-full'] as const satisfies readonly FaultKind[];

/** Notes what keeps the archive from storing, and that it stores again: each run that is done has written a record, or read one. */
export function watchArchive({ faults }: { faults: Faults }, onTrouble: (error: unknown) => void) {
  return {
    onTrouble(error: unknown): void {
      const kind = error instanceof FluxError ? KINDS.find((known) => known === error.code) : undefined;
      if (kind !== undefined && error instanceof FluxError) faults.note(kind, error.message);
      onTrouble(error);
    },
    run:
      <Data>(runStage: RunStage<Data>): RunStage<Data> =>
      async (data, run) => {
        const outcome = await runStage(data, run);
        if (outcome.kind === 'done') faults.clear(...KINDS);
        return outcome;
      },
  };
}
