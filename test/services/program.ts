import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** What a user runs. */
export const BUILT = at('dist/bin/flux-batch.js');

/** The built program, in a few files (`bundle.mjs`) where they are made of this build: so it starts in half the time. */
export const PROGRAM = isBundled() ? at('.cache/program/dist/bin/flux-batch.js') : BUILT;

/**
 * What to give Node for a command that soon ends. It never runs for so long that code which V8 optimizes beside it would pay: that is a
 * seventh of its processor time.
 */
export const COMMAND = ['--no-opt', PROGRAM];

function isBundled(): boolean {
  try {
    return readFileSync(at('.cache/program/made-of'), 'utf8') === String(statSync(BUILT).mtimeMs);
  } catch {
    return false;
  }
}
