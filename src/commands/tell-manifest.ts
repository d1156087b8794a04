import type { Manifest, Totals } from '../manifest/manifest.ts';
import { formatProblem } from '../manifest/problems.ts';
import { describeRepeats } from '../manifest/repeats.ts';
import { say } from '../text/terminal.ts';

/** What is no mistake in a manifest, and yet perhaps not meant. */
export function tellManifest({ warnings }: Manifest, { repeated, notes }: Totals): void {
  for (const note of notes) say(`note: ${note}`);
  if (repeated.count > 0) say(`note: ${describeRepeats(repeated)}`);
  for (const warning of warnings) say(`warning: ${formatProblem(warning)}`);
}
