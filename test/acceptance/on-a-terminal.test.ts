import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { PROGRAM } from '../services/program.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

const BELL = '\u0007';
const RED_FAILED = '\u001b[31mfailed';
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told
const CURSOR_UP = /\u001b\[\d+A/;

/** `script` of util-linux gives a command a terminal of its own. */
describe.runIf(process.platform === 'linux').concurrent('on a terminal', () => {
  test('of 40 columns, no line is longer, what failed stands out, and the end rings', async (context) => {
    const place = await openPlace(context, { simulator: { medianMs: 1_500 } });
    const manifest = await place.manifest('a-batch-with-a-name', ['A forbidden place', ...promptsFor(5)]);
    const shown = await onTerminal(place, ['run', manifest], 40);
    const frames = shown.slice(0, shown.lastIndexOf('archived in'));
    expect(frames).toMatch(CURSOR_UP);
    const lines = plainOf(frames)
      .split(/\r?\n/)
      .filter((line) => /archived \d/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
    expect(plainOf(frames)).toMatch(/^ {2}archived \d+ · failed 1/m);
    expect(shown).toContain(RED_FAILED);
    expect(shown).toContain(BELL);
  });

  test('without colours where NO_COLOR says so', async (context) => {
    const place = await openPlace(context);
    const manifest = await place.manifest('grey', ['A forbidden place', ...promptsFor(2)]);
    const shown = await onTerminal(place, ['run', manifest], 100, { NO_COLOR: '1' });
    expect(plainOf(shown)).toMatch(/failed {2}item-1/);
    for (const color of [31, 33]) expect(shown).not.toContain(`\u001b[${color}m`);
  });

  test('in CI nothing is redrawn, and nothing rings', async (context) => {
    const place = await openPlace(context);
    const shown = await onTerminal(place, ['run', await place.manifest('built', promptsFor(3))], 100, { CI: 'true' });
    expect(shown).toContain('3 of 3 images archived');
    expect(shown).not.toMatch(CURSOR_UP);
    expect(shown).not.toContain(BELL);
  });
});

async function onTerminal(
  place: Place,
  args: readonly string[],
  columns: number,
  env: Record<string, string> = {},
): Promise<string> {
  const command = `stty cols ${columns} rows 30; exec '${process.execPath}' '${PROGRAM}' ${args.join(' ')}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: place.folder,
    env: { ...place.env, TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

/** Without what moves and colours. */
function plainOf(shown: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is searched for
  return shown.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '');
}
