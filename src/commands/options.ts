import { type Command, InvalidArgumentError, Option } from 'commander';
import { isBatchPriority, LARGEST } from '../batch/priority.ts';
import type { Overrides } from '../config.ts';

/** Flags of every command that reads the configuration. A flag takes precedence over its environment variable. */
export function withConfigOptions(command: Command): Command {
  return command
    .option('--archive <url>', 'where images go: s3://bucket/prefix or a folder (ARCHIVE_URL)')
    .option('--redis <url>', 'the Redis to use, or @file with its URL; none: a private one (REDIS_URL)')
    .option('--allow-eviction', 'go on with a Redis that may evict keys, and with them jobs (REDIS_ALLOW_EVICTION)');
}

/** Flags of commands that run workers. */
export function withWorkerOptions(command: Command): Command {
  return withConfigOptions(command)
    .option('--rate <rate>', "the provider's limit, such as 20/10s (FLUX_RATE_LIMIT)")
    .option('--max-tasks <count>', 'tasks running at the provider at once (FLUX_MAX_TASKS)')
    .addOption(
      new Option(
        '--on-unknown <what>',
        'a submit whose outcome is unknown: hold it, or risk paying twice (ON_UNKNOWN)',
      ).choices(['hold', 'resubmit']),
    )
    .option('--embed', 'write prompt, model and ids into the images themselves, pixels untouched (EMBED_METADATA)');
}

/** The flag of commands that set a batch's budget. */
export function withBudgetOption(command: Command): Command {
  return command.option(
    '--budget <credits>',
    'what the batch may cost, all its runs together: 1000, 12.50usd, bfl=300 (BUDGET_CREDITS)',
  );
}

/** Flags of commands that look at an inbox. */
export function withInboxOptions(command: Command): Command {
  return command
    .option(
      '--budget-each <credits>',
      'what one drop may cost without a person: 200, 1usd (INBOX_BUDGET_EACH; CONFIRM_CREDITS)',
    )
    .option(
      '--budget-total <credits/day>',
      'what all drops of a day may cost, UTC: 5000/day, 20usd/day (INBOX_BUDGET_TOTAL)',
    )
    .option('--rest <duration>', 'a file that has not changed for so long is whole (INBOX_REST, 2s)')
    .option('--notify <url>', 'tell the end of each batch there: a JSON POST, as Slack takes it (FLUX_NOTIFY_URL)');
}

export type InboxFlags = { budgetEach?: string; budgetTotal?: string; rest?: string };

export function inboxOverridesOf({ budgetEach, budgetTotal, rest }: InboxFlags, place: string | undefined): Overrides {
  return {
    ...(place === undefined ? {} : { INBOX_URL: place }),
    ...(budgetEach === undefined ? {} : { INBOX_BUDGET_EACH: budgetEach }),
    ...(budgetTotal === undefined ? {} : { INBOX_BUDGET_TOTAL: budgetTotal }),
    ...(rest === undefined ? {} : { INBOX_REST: rest }),
  };
}

export type ConfigFlags = {
  archive?: string;
  redis?: string;
  allowEviction?: boolean;
  rate?: string;
  maxTasks?: string;
  onUnknown?: string;
  budget?: string;
  embed?: true;
  notify?: string;
};

export function overridesOf(flags: ConfigFlags): Overrides {
  return {
    ...(flags.archive === undefined ? {} : { ARCHIVE_URL: flags.archive }),
    ...(flags.redis === undefined ? {} : { REDIS_URL: flags.redis }),
    ...(flags.allowEviction ? { REDIS_ALLOW_EVICTION: 'true' } : {}),
    ...(flags.rate === undefined ? {} : { FLUX_RATE_LIMIT: flags.rate }),
    ...(flags.maxTasks === undefined ? {} : { FLUX_MAX_TASKS: flags.maxTasks }),
    ...(flags.onUnknown === undefined ? {} : { ON_UNKNOWN: flags.onUnknown }),
    ...(flags.budget === undefined ? {} : { BUDGET_CREDITS: flags.budget }),
    ...(flags.notify === undefined ? {} : { FLUX_NOTIFY_URL: flags.notify }),
    ...(flags.embed ? { EMBED_METADATA: 'true' } : {}),
  };
}

/** Throws what commander shows as a mistake in the option. */
export function parseBatchPriority(text: string): number {
  const priority = Number(text);
  if (text.trim() !== '' && isBatchPriority(priority)) return priority;
  throw new InvalidArgumentError(`Expected a whole number from 0 to ${LARGEST}.`);
}
