import { Command } from 'commander';
import { cancelCommand } from './commands/cancel.ts';
import { configCommand } from './commands/config.ts';
import { enqueueCommand } from './commands/enqueue.ts';
import { gateCommand } from './commands/gate.ts';
import { heldCommand } from './commands/held.ts';
import { pauseCommand } from './commands/pause.ts';
import { planCommand } from './commands/plan.ts';
import { rescueCommand } from './commands/rescue.ts';
import { resultsCommand } from './commands/results.ts';
import { resumeCommand } from './commands/resume.ts';
import { retryCommand } from './commands/retry.ts';
import { runCommand } from './commands/run.ts';
import { serveCommand } from './commands/serve.ts';
import { simulateCommand } from './commands/simulate.ts';
import { statusCommand } from './commands/status.ts';
import { workerCommand } from './commands/worker.ts';
import { FluxError, messageOf, UsageError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import type { StartFleet } from './fleet.ts';
import { say } from './terminal.ts';
import { VERSION } from './version.ts';

/** Runs the command line; the only place that turns errors into messages and exit codes. */
export async function main(argv: readonly string[], startFleet: StartFleet): Promise<void> {
  const debug = argv.includes('--debug');
  try {
    await program(startFleet).parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error, debug);
  }
}

function program(startFleet: StartFleet): Command {
  const cli = new Command('flux-batch')
    .description('Images from a YAML manifest, in your bucket before their URLs die, each paid for once.')
    .version(VERSION)
    .exitOverride((error) => {
      // Commander has printed its message; help and version end well, all else is a mistake in the command.
      process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
    });
  const commands = [
    runCommand(startFleet),
    planCommand(),
    enqueueCommand(),
    workerCommand(startFleet),
    serveCommand(),
    statusCommand(),
    resultsCommand(),
    rescueCommand(startFleet),
    gateCommand(),
    pauseCommand(),
    resumeCommand(),
    cancelCommand(),
    retryCommand(),
    heldCommand(),
    configCommand(),
    simulateCommand(),
  ];
  for (const command of commands) {
    cli.addCommand(
      command.copyInheritedSettings(cli).option('--debug', 'show stack traces').showSuggestionAfterError(),
    );
  }
  return cli;
}

function report(error: unknown, debug: boolean): number {
  say(`error: ${messageOf(error)}`);
  if (error instanceof FluxError && error.hint !== undefined) say(error.hint.replace(/^/gm, '  '));
  if (debug) for (const stack of stacksOf(error)) say(stack);
  return error instanceof UsageError ? EXIT.usage : EXIT.stopped;
}

/** Of an error and of what caused it, outermost first. */
function stacksOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? '', ...stacksOf(error.cause).map((stack) => `caused by ${stack}`)];
}
