import { Argument, Command } from 'commander';
import { loadConfig } from '../config.ts';
import { describeFinding } from '../diagnosis/describe.ts';
import { stoppedFinding } from '../diagnosis/stopped.ts';
import { say } from '../text/terminal.ts';
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
`;

const RESET_ACTIONS = ['open', 'reset'] as const;
type Action = (typeof RESET_ACTIONS)[number];

/** `flux-batch gate` (alias `breaker`): shows why the circuit breaker is tripped. `open` or `reset` resets it. */
export function gateCommand(): Command {
  return withConfigOptions(new Command('gate'))
    .addArgument(new Argument('[action]', 'what to do').choices(RESET_ACTIONS))
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (action: Action | undefined, flags: ConfigFlags & { json?: true }) => {
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async ({ state }) => {
        const breaker = await state.breaker();
        const opened = action !== undefined;
        if (opened) await state.resetBreaker();
        if (flags.json) printJson({ gate: breaker ?? null, opened });
        else if (!breaker) say('submitting is not stopped');
        else if (opened) say(`submitting again; it was stopped (${breaker.refusal})`);
        else for (const line of describeFinding(stoppedFinding(breaker, Date.now()), Date.now())) say(line);
      });
    });
}
