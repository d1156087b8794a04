import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { drawChecks } from '../doctor/draw.ts';
import { examine } from '../doctor/examine.ts';
import { paintFor } from '../text/paint.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';

const EXAMPLES = `
Checks what a run needs: that the API accepts the key and there are credits; that Redis is reached, permits what is needed, and
loses nothing; that the archive takes, gives back and removes what is written; clocks, disks, the callback address, the font of
the contact sheet. Spends nothing.

Examples:
  $ flux-batch doctor
  $ flux-batch doctor --archive s3://pictures --redis redis://queue:6379
  $ flux-batch doctor --json | jq '.checks[] | select(.outcome != "ok")'

Exit codes: 0 a run would work, perhaps with warnings · 2 something is to be put right first.
`;

/** `flux-batch doctor`: checks the set-up before a run. */
export function doctorCommand(): Command {
  return withConfigOptions(new Command('doctor'))
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ConfigFlags & { json?: true }) => {
      const checks = await examine(loadConfig(overridesOf(flags)));
      const isReady = checks.every(({ outcome }) => outcome !== 'failed');
      if (flags.json) printJson({ ready: isReady, checks }, { indent: 2 });
      else process.stdout.write(`${drawChecks(checks, paintFor(process.stdout)).join('\n')}\n`);
      if (!isReady) process.exitCode = EXIT.usage;
    });
}
