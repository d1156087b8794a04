import { Argument, Command } from 'commander';
import { loadConfig } from '../config.ts';
import { describeFinding } from '../diagnosis/describe.ts';
import { stoppedFinding } from '../diagnosis/stopped.ts';
import { UsageError } from '../errors.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import { say } from '../text/terminal.ts';
import { laneShown } from '../wiring/accounts.ts';
import type { OpenLane } from '../wiring/lanes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Submitting stops for the whole fleet when the key or the credits are refused, in maintenance, and when the outcomes of too many
submits are unknown. Polling and archiving go on. It begins again by itself when a single submit gets through.

Examples:
  $ flux-batch gate            why submitting is stopped, and what ends that
  $ flux-batch gate open       submit again now; what closed it closes it again if it lasts
  $ flux-batch breaker reset   the same by its other name
  $ flux-batch gate open main  of several accounts (FLUX_LANES), this one alone
`;

const RESET_ACTIONS = ['open', 'reset'] as const;
type Action = (typeof RESET_ACTIONS)[number];

/** `flux-batch gate` (alias `breaker`): shows why the circuit breaker is tripped. `open` or `reset` resets it. */
export function gateCommand(): Command {
  return withConfigOptions(new Command('gate'))
    .addArgument(new Argument('[action]', 'what to do').choices(RESET_ACTIONS))
    .argument('[lane]', 'of this account alone')
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (action: Action | undefined, lane: string | undefined, flags: ConfigFlags & { json?: true }) => {
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async ({ state, lanes }) => {
        const gate = (await state.breaker()) ?? null;
        const looked = await Promise.all(
          chosen(lanes, lane).map(async (open) => ({ ...open, breaker: await open.state.breaker() })),
        );
        const opened = action !== undefined;
        if (opened) await Promise.all(looked.map((one) => one.state.resetBreaker()));
        const told = looked.map((one) => ({ lane: one.lane.name, gate: one.breaker ?? null }));
        if (flags.json) printJson({ gate, opened, ...(lanes.length > 1 && { lanes: told }) });
        else for (const line of looked.flatMap((one) => linesOf(one, opened))) say(line);
        if (!flags.json && looked.every(({ breaker }) => !breaker)) say('submitting is not stopped');
      });
    });
}

/** Throws a UsageError (`lane-unknown`). */
function chosen(lanes: readonly OpenLane[], name: string | undefined): readonly OpenLane[] {
  const found = name === undefined ? lanes : lanes.filter(({ lane }) => lane.name === name);
  if (found.length > 0) return found;
  const known = lanes.map(({ lane }) => lane.name).join(', ');
  throw new UsageError('lane-unknown', `Expected one of the lanes ${known}, got ${name}`);
}

function linesOf({ lane, breaker }: OpenLane & { breaker: TrippedBreaker | undefined }, opened: boolean): string[] {
  if (!breaker) return [];
  const shown = laneShown({ lane });
  if (!opened) return describeFinding(stoppedFinding(breaker, Date.now(), shown), Date.now());
  return [`${shown ? `${shown.name}: ` : ''}submitting again; it was stopped (${breaker.refusal})`];
}
