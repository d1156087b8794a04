import { Command } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import { redisInboxDrops, type WaitingDrop } from '../fleet/inbox-drops.ts';
import type { OnTaken } from '../inbox/watch-inbox.ts';
import { plural, say } from '../text/terminal.ts';
import { inboxUrlOf, runInbox } from '../wiring/inbox.ts';
import {
  type ConfigFlags,
  type InboxFlags,
  inboxOverridesOf,
  overridesOf,
  withConfigOptions,
  withInboxOptions,
} from './options.ts';
import { printJson, sayWarnings } from './print.ts';
import { onStopSignals } from './signals.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Whatever is dropped there is taken once, when it is whole: a manifest, or a folder or a .zip with a manifest and its files. It then lies
in accepted/, rejected/ or waiting/ beside report.txt and report.json. Workers elsewhere make the pictures.

Examples:
  $ flux-batch inbox ./drop --budget-each 200 --budget-total 5000/day
  $ flux-batch inbox s3://pictures/inbox --budget-each 200      any number of these, on any machine
  $ flux-batch inbox approve                                    what waits for a person, and why
  $ flux-batch inbox approve spring-catalog                     have it made all the same
`;

/** As the first argument: what a person says of a drop that waits. */
const APPROVE = 'approve';

/** `flux-batch inbox`: takes what is dropped into a folder or a bucket, until it is stopped. `inbox approve`: has made what waits. */
export function inboxCommand(): Command {
  return withInboxOptions(withConfigOptions(new Command('inbox')))
    .argument('[place]', 'a folder or s3://bucket/prefix (INBOX_URL); or: approve')
    .argument('[batch]', 'of approve: the batch, or the name of its folder')
    .option('--json', 'of approve: print what waits, or was approved, as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (place: string | undefined, batch: string | undefined, flags: ConfigFlags & InboxFlags & Json) => {
      if (place === APPROVE) return approve(loadConfig(overridesOf(flags)), batch, flags);
      if (batch !== undefined) throw new UsageError('argument-unknown', `Expected one place, got ${batch} too`);
      await watch(loadConfig({ ...overridesOf(flags), ...inboxOverridesOf(flags, place) }));
    });
}

type Json = { json?: true };

async function watch(config: Config): Promise<void> {
  const url = inboxUrlOf(config);
  await withConnections(config, { patient: true, prove: true, logLevel: 'info' }, async (connections) => {
    sayWarnings(connections);
    const stop = onStopSignals({ stopsForFaults: false, saying: 'ending with what is in hand.' });
    say(`inbox ${process.pid}: ${url} to ${connections.archive.url}`);
    await runInbox(connections, { signal: stop.signal, onTaken: sayTaken });
    stop.dispose();
    if (stop.fault) throw stop.fault;
  });
}

export const sayTaken: OnTaken = ({ drop, outcome, take, plan, why, mistakes, omitted }) => {
  const what = {
    accepted: () =>
      `${plural(plan?.items ?? 0, 'item')}, ${plan?.toMake ?? 0} to make for ${plan?.credits ?? '?'} credits`,
    waiting: () => why ?? '',
    rejected: () => plural(mistakes.length + omitted, 'mistake'),
  }[outcome]();
  say(`${drop}: ${outcome}/${take}: ${what}`);
};

async function approve(config: Config, batch: string | undefined, { json }: Json): Promise<void> {
  await withConnections(config, LOOK, async ({ redis, keys }) => {
    const drops = redisInboxDrops(redis, keys);
    const waiting = (await drops.waiting()).sort((a, b) => a.take.localeCompare(b.take));
    if (batch === undefined) {
      if (json) return printJson(waiting);
      if (waiting.length === 0) say('nothing waits in an inbox');
      for (const drop of waiting) say(`${drop.batch}: ${drop.why} (${drop.url}/waiting/${drop.take})`);
      return;
    }
    const chosen = pick(waiting, batch);
    await drops.approve(chosen);
    if (json) printJson(chosen);
    else say(`${chosen.batch}: approved; the inbox ${chosen.url} takes it with its next look`);
  });
}

function pick(waiting: readonly WaitingDrop[], wanted: string): WaitingDrop {
  const found = waiting.filter(({ batch, take }) => batch === wanted || take === wanted);
  const [only] = found;
  if (only && found.length === 1) return only;
  const names = (drops: readonly WaitingDrop[]) => drops.map(({ take }) => take).join(', ');
  if (found.length > 1) {
    throw new UsageError('drop-ambiguous', `${found.length} drops of ${wanted} wait`, {
      hint: `Name one: ${names(found)}`,
    });
  }
  throw new UsageError('drop-unknown', `No drop of ${wanted} waits`, {
    hint: waiting.length === 0 ? 'Nothing waits in an inbox.' : `Waiting: ${names(waiting)}`,
  });
}
