import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** What a user runs. */
export const BUILT = at('dist/bin/flux-batch.js');

/** The built program, in a few files (`bundle.mjs`) where they are made of this build: so it starts in half the time. */
export const PROGRAM = isBundled() ? at('.cache/program/dist/bin/flux-batch.js') : BUILT;

function isBundled(): boolean {
  try {
    return readFileSync(at('.cache/program/made-of'), 'utf8') === String(statSync(BUILT).mtimeMs);
  } catch {
    return false;
  }
}
