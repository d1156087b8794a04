import { setImmediate as nextTurn } from 'node:timers/promises';
import { Command } from 'commander';
import { cousinOf } from './commands/cousins.ts';
import { EXIT } from './commands/exit-codes.ts';
import { guardOutputs } from './commands/outputs.ts';
import { FluxError, messageOf, UsageError } from './errors.ts';
import { say } from './text/terminal.ts';
import { VERSION } from './version.ts';
import type { StartFleet } from './wiring/fleet.ts';

/** Loads the workers. Only commands that start some call it. */
export type LoadFleet = () => Promise<StartFleet>;

type Entry = { alias?: string; takes?: string; about: string; load: (fleet: LoadFleet) => Promise<Command> };

/** A command's module is loaded only when that command is called. Loading all of them takes 0.5 s. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: {
    takes: '<manifest>',
    about: 'make every image of a manifest: all in one process, until the batch ends',
    load: async (fleet) => (await import('./commands/run.ts')).runCommand(await fleet()),
  },
  plan: {
    takes: '<manifest>',
    about: 'check a manifest; count, price and time it; spends nothing',
    load: async () => (await import('./commands/plan.ts')).planCommand(),
  },
  enqueue: {
    takes: '<manifest>',
    about: 'put a manifest into the queues for workers elsewhere',
    load: async () => (await import('./commands/enqueue.ts')).enqueueCommand(),
  },
  inbox: {
    takes: '[place] [batch]',
    about: 'take manifests that are dropped into a folder or a bucket; approve what waits there',
    load: async () => (await import('./commands/inbox.ts')).inboxCommand(),
  },
  worker: {
    takes: '[stages...]',
    about: 'work on whatever is enqueued, as a member of a fleet',
    load: async (fleet) => (await import('./commands/worker.ts')).workerCommand(await fleet()),
  },
  serve: {
    about: 'serve pages of the batches, metrics, and the address of callbacks',
    load: async () => (await import('./commands/serve.ts')).serveCommand(),
  },
  status: {
    takes: '[batch]',
    about: 'show batches, queues, rates, live workers, and what holds them up',
    load: async () => (await import('./commands/status.ts')).statusCommand(),
  },
  results: {
    takes: '<batch>',
    about: 'list every item of a batch, or bring its images and gallery to a folder, from the archive',
    load: async () => (await import('./commands/results.ts')).resultsCommand(),
  },
  rescue: {
    takes: '<batch>',
    about: 'archive what was paid for and is not archived, from the records alone; never submits',
    load: async (fleet) => (await import('./commands/rescue.ts')).rescueCommand(await fleet()),
  },
  gate: {
    alias: 'breaker',
    takes: '[action]',
    about: 'say why submitting is stopped for the fleet; open (or reset) starts it again',
    load: async () => (await import('./commands/gate.ts')).gateCommand(),
  },
  pause: {
    takes: '[batch]',
    about: 'submit nothing more of a batch, or of any, until it is resumed',
    load: async () => (await import('./commands/pause.ts')).pauseCommand(),
  },
  resume: {
    takes: '[batch]',
    about: 'go on with a paused batch, or end a pause of all',
    load: async () => (await import('./commands/resume.ts')).resumeCommand(),
  },
  priority: {
    takes: '<batch> <number>',
    about: 'let what waits of a batch go before or after other batches',
    load: async () => (await import('./commands/priority.ts')).priorityCommand(),
  },
  cancel: {
    takes: '<batch>',
    about: 'end a batch: what was not submitted is cancelled, what runs is still archived',
    load: async () => (await import('./commands/cancel.ts')).cancelCommand(),
  },
  forget: {
    takes: '<batch>',
    about: 'remove an ended batch from Redis; the archive keeps all of it',
    load: async () => (await import('./commands/forget.ts')).forgetCommand(),
  },
  retry: {
    takes: '<batch>',
    about: 'make the failed items of a batch again, all or by class of failure',
    load: async () => (await import('./commands/retry.ts')).retryCommand(),
  },
  adopt: {
    takes: '<manifest>',
    about: 'take archived images over for items with new names, at no cost',
    load: async () => (await import('./commands/adopt.ts')).adoptCommand(),
  },
  redo: {
    takes: '<batch> <items...>',
    about: 'make another image of an item; the former one stays as a version',
    load: async () => (await import('./commands/redo.ts')).redoCommand(),
  },
  held: {
    takes: '<batch> [action] [items...]',
    about: 'list held items, and decide on them: attach a task, resubmit or drop',
    load: async () => (await import('./commands/held.ts')).heldCommand(),
  },
  init: {
    takes: '[file]',
    about: 'write a commented manifest to begin with, or the one for a table, prompts or photos',
    load: async () => (await import('./commands/init.ts')).initCommand(),
  },
  schema: {
    about: 'print a JSON Schema of manifests, for completion and checks in editors',
    load: async () => (await import('./commands/schema.ts')).schemaCommand(),
  },
  doctor: {
    about: 'check the set-up before a run: key, credits, Redis, archive, clocks, disk; spends nothing',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  config: {
    about: 'print the configuration in force, secrets masked',
    load: async () => (await import('./commands/config.ts')).configCommand(),
  },
  simulate: {
    about: 'stand in for the API on this machine, to try everything without a key',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand(),
  },
};

/** Everything is closed by then. What still keeps the process alive, such as an unanswered request, is not waited for longer. */
const EXITS_WITHIN_MS = 5_000;

/** Runs the command line. Only this function turns errors into messages and exit codes. */
export async function main(argv: readonly string[], fleet: LoadFleet): Promise<void> {
  const debug = argv.includes('--debug');
  const outputs = guardOutputs();
  try {
    await (await program(argv, fleet)).parseAsync([...argv]);
  } catch (error) {
    if (!outputs.isOurs(error)) process.exitCode = report(plainlyTold(error), debug);
  }
  // A write that fails says so in a later turn.
  await nextTurn();
  const lost = outputs.failure();
  if (lost) process.exitCode = report(lost, debug);
  setTimeout(() => process.exit(), EXITS_WITHIN_MS).unref();
}

async function program(argv: readonly string[], fleet: LoadFleet): Promise<Command> {
  const cli = new Command('flux-batch')
    .description('Images from a YAML manifest, in your bucket before their URLs die, each paid for once.')
    .version(VERSION)
    .exitOverride((error) => {
      // Commander has already printed its message. Help and version exit with 0; everything else is a usage error.
      process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
    });
  const words = argv.slice(2).filter((word) => !word.startsWith('-'));
  const called = words[0] === 'help' ? words[1] : words[0];
  const cousin = called === undefined ? undefined : cousinOf(called);
  if (cousin) throw cousin;
  for (const [name, { alias, takes, about, load }] of Object.entries(COMMANDS)) {
    const isCalled = called !== undefined && (called === name || called === alias);
    if (isCalled) await settleFormat(cli);
    const command = isCalled ? await load(fleet) : stubOf(name, takes);
    if (isCalled) (await import('./commands/batch-argument.ts')).checkBatchArguments(command);
    if (alias !== undefined) command.alias(alias);
    cli.addCommand(
      command
        .description(about)
        .copyInheritedSettings(cli)
        .option('--debug', 'show stack traces')
        .showSuggestionAfterError(),
    );
  }
  return cli;
}

/** LOG_FORMAT holds from the first line on, mistakes in options included. */
async function settleFormat(cli: Command): Promise<void> {
  const [{ logFormat }, { talkByLog }] = await Promise.all([import('./config.ts'), import('./logger.ts')]);
  const format = logFormat();
  if (format === undefined) return;
  talkByLog(format);
  cli.configureOutput({ writeErr: (text) => say(text, { level: 'error' }) });
}

/** A placeholder for a command that is not called. The list of commands shows only this much of it. */
function stubOf(name: string, takes: string | undefined): Command {
  const stub = new Command(name);
  return takes === undefined ? stub : stub.arguments(takes);
}

/** The folder that a process was started in may be removed under it: Node then fails wherever a path is relative. */
function plainlyTold(error: unknown): unknown {
  const isFolderGone = error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';
  if (!isFolderGone) return error;
  return new UsageError('folder-gone', 'The folder that you are in is not there any more', {
    hint: 'cd into one that is, then run the command again.',
    cause: error,
  });
}

function report(error: unknown, debug: boolean): number {
  const as = { level: 'error' } as const;
  say(`error: ${messageOf(error)}`, as);
  if (error instanceof FluxError && error.hint !== undefined) say(error.hint.replace(/^/gm, '  '), as);
  if (debug) for (const stack of stacksOf(error)) say(stack, as);
  return error instanceof UsageError ? EXIT.usage : EXIT.stopped;
}

/** The stacks of an error and of its causes, outermost first. */
function stacksOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? '', ...stacksOf(error.cause).map((stack) => `caused by ${stack}`)];
}
