import { Command } from 'commander';
import pMap from 'p-map';
import { recordsIn } from '../archive/records.ts';
import { adoptImage } from '../batch/adopt.ts';
import { type Adoption, adoptable } from '../batch/adoptable.ts';
import { loadConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import { textInOneForm } from '../items/one-form.ts';
import { expand, openManifest } from '../manifest/manifest.ts';
import { plain, plural, say } from '../text/terminal.ts';
import { openClosers } from '../wiring/closers.ts';
import { openArchiveOf } from '../wiring/connections.ts';
import { agrees, declined } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';

const EXAMPLES = `
Examples:
  $ flux-batch adopt jobs.yaml                            equal requests under other names, of the same batch
  $ flux-batch adopt jobs.yaml --from spring-catalog      after the batch was renamed
  $ flux-batch adopt jobs.yaml --as lighthouse=hero       this image is right for that name, whatever was asked for

Images are copied, and what was archived stays. Nothing is paid for; a later run makes only the rest.
Exit codes: 0 done · 1 some images are not what was archived · 2 something is wrong with the command or the manifest.
`;

/** Each is held in memory. */
const IMAGES_AT_ONCE = 8;

type Flags = ConfigFlags & { from?: string; as: Map<string, string>; yes?: true; json?: true };

/** `flux-batch adopt`: takes archived images over for items of a manifest. It needs only the archive, not Redis. */
export function adoptCommand(): Command {
  return withConfigOptions(new Command('adopt'))
    .argument('<manifest>', 'the YAML file; - for stdin')
    .option('--from <batch>', "the batch that has the images (the manifest's own)")
    .option(
      '--as <new=former>',
      'a new name and the former one whose image it takes; may be repeated',
      addName,
      new Map(),
    )
    .option('-y, --yes', 'never ask')
    .option('--json', 'print what is taken over as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: Flags) => {
      const config = loadConfig(overridesOf(flags));
      const { manifest } = await openManifest(file, {
        stdin: process.stdin,
        modelsFile: config.modelsFile,
        inputMaxBytes: config.inputs.maxBytes,
      });
      const { batch } = manifest;
      const closers = openClosers();
      try {
        const archive = await openArchiveOf(config, closers);
        const records = recordsIn(archive);
        const options = { from: flags.from ?? batch, declared: flags.as };
        const found = await adoptable({ archive, records }, batch, expand(manifest), options);
        refuseUnmatched(flags.as, found);
        for (const { item, from } of found)
          say(`  ${plain(from.name)} → ${plain(item.name)}  [${from.id} → ${item.id}]`);
        const what = `${batch}: ${plural(found.length, 'image')} to take over, at no cost`;
        if (found.length > 0 && !(await agrees(`${what}. Go on?`, flags))) return declined('nothing was taken over');
        const takeOver = async ({ item, from }: Adoption) =>
          (await adoptImage({ archive, records }, from, item)) ? [] : [from.id];
        const lost = (await pMap(found, takeOver, { concurrency: IMAGES_AT_ONCE })).flat();
        for (const id of lost) say(`${id}: its image is not what was archived; left as it is`);
        if (lost.length > 0) process.exitCode = EXIT.someFailed;
        const adopted = found.filter(({ from }) => !lost.includes(from.id));
        if (flags.json)
          printJson({ batch, adopted: adopted.map(({ item, from }) => ({ id: item.id, from: from.id })) });
        else say(`${batch}: ${plural(adopted.length, 'image')} taken over`);
      } finally {
        await closers.closeAll();
      }
    });
}

function addName(text: string, former: Map<string, string>): Map<string, string> {
  const parts = /^([^=]+)=([^=]+)$/.exec(text);
  if (!parts) throw new UsageError('as-invalid', `Expected --as as new=former, got "${text}"`);
  const [, name = '', was = ''] = parts;
  return new Map([...former, [textInOneForm(name.trim()), textInOneForm(was.trim())]]);
}

function refuseUnmatched(declared: ReadonlyMap<string, string>, found: readonly Adoption[]): void {
  const names = new Set(found.map(({ item }) => item.name));
  for (const [name, was] of declared) {
    if (names.has(name)) continue;
    throw new UsageError('as-unmatched', `--as ${name}=${was}: nothing to take over`, {
      hint: `Either the manifest has no item named ${name} that is not archived yet, or no image of ${was} is archived.`,
    });
  }
}
