import type { Paint } from '../text/paint.ts';
import { plain, plural } from '../text/terminal.ts';
import type { Check } from './check.ts';

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const;
const COLORS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** One element a line: what is right and what is not, each with its remedy, and the sum of it. */
export function drawChecks(checks: readonly Check[], paint: Paint): string[] {
  const width = Math.max(...checks.map(({ check }) => check.length));
  const lines = checks.flatMap(({ check, outcome, what, remedy }) => [
    `${paint(COLORS[outcome], MARKS[outcome])} ${check.padEnd(width)}  ${plain(what)}`,
    ...(remedy === undefined
      ? []
      : [`  ${' '.repeat(width)}  ${remedyLines(remedy).join(`\n  ${' '.repeat(width)}  `)}`]),
  ]);
  return [...lines, '', sumOf(checks)];
}

/** Hints may have several lines. */
function remedyLines(remedy: string): string[] {
  return remedy.split('\n').map((line) => `→ ${plain(line)}`);
}

function sumOf(checks: readonly Check[]): string {
  const count = (wanted: Check['outcome']) => checks.filter(({ outcome }) => outcome === wanted).length;
  const [wrong, warnings] = [count('failed'), count('warning')];
  const worth = warnings === 0 ? '' : `; ${plural(warnings, 'warning')}`;
  return wrong === 0 ? `ready for a run${worth}` : `not ready: ${plural(wrong, 'thing')} to put right${worth}`;
}
