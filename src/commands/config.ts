import { Command } from 'commander';
import { describeConfig } from '../config.ts';
import { table } from '../text/terminal.ts';
import { type ConfigFlags, overridesOf, withWorkerOptions } from './options.ts';

/** `flux-batch config`: prints each setting, its value (secrets masked) and where the value comes from. */
export function configCommand(): Command {
  return withWorkerOptions(new Command('config'))
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExamples:\n  $ flux-batch config\n  $ FLUX_RATE_LIMIT=5/1s flux-batch config --json\n')
    .action((flags: ConfigFlags & { json?: true }) => {
      const lines = describeConfig(overridesOf(flags));
      const text = flags.json
        ? JSON.stringify(Object.fromEntries(lines.map(({ name, value, origin }) => [name, { value, origin }])), null, 2)
        : table(lines.map(({ name, value, origin }) => [name, value, origin])).join('\n');
      process.stdout.write(`${text}\n`);
    });
}
