import { memoryBudget, type Release } from '../archive/memory-budget.ts';
import type { Room } from '../provider/growing-body.ts';

/** Half as large again as the largest image that a provider was seen to serve, which had 33 MB. */
export const MAX_IMAGE_BYTES = 48 * 1024 * 1024;
/** Images have 0.1 to 3 MB as a rule: these are never waited for. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** One large body is in memory at a time, in this process: eight of them would not fit beside what decodes. */
const large = memoryBudget(MAX_IMAGE_BYTES);

/** Room for the bodies of one job, one after the other. `leave` when the last of them is stored. */
export function bodyRoom(): Room & { leave(): void } {
  let entered: Promise<Release> | undefined;
  return {
    freeBytes: LARGE_BYTES,
    async enter() {
      entered ??= large.take(MAX_IMAGE_BYTES);
      await entered;
    },
    leave() {
      // Also where its turn has not come yet, as after a timeout.
      void entered?.then((release) => release());
    },
  };
}
