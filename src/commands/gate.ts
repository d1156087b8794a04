import { Argument, Command } from 'commander';
import { loadConfig } from '../config.ts';
import { describeBreaker } from '../fleet/describe-breaker.ts';
import { say } from '../text/terminal.ts';
import { connect } from '../wiring/connections.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';

const EXAMPLES = `
Submitting stops for the whole fleet when the key or the credits are refused, in maintenance, and when the outcomes of too many
submits are unknown. Polling and archiving go on. It begins again by itself when a single submit gets through.

Examples:
  $ flux-batch gate            why submitting is stopped, and what ends that
  $ flux-batch gate open       submit again now; what closed it closes it again if it lasts
`;

/** `flux-batch gate`: what has stopped submitting for the fleet, and a person's word to begin again. */
export function gateCommand(): Command {
  return withConfigOptions(new Command('gate'))
    .addArgument(new Argument('[action]', 'what to do').choices(['open']))
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (action: 'open' | undefined, flags: ConfigFlags & { json?: true }) => {
      const { state, closers } = await connect(loadConfig(overridesOf(flags)), { patient: false, prove: false });
      try {
        const gate = await state.breaker();
        if (action === 'open') await state.resetBreaker();
        if (flags.json) process.stdout.write(`${JSON.stringify({ gate: gate ?? null, opened: action === 'open' })}\n`);
        else if (!gate) say('submitting is not stopped');
        else if (action === 'open') say(`submitting again; it was stopped (${gate.refusal})`);
        else for (const line of describeBreaker(gate, Date.now())) say(line);
      } finally {
        await closers.closeAll();
      }
    });
}
