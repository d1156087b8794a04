import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { messageOf, UsageError } from '../errors.ts';
import { starterFor } from '../starters/starter-for.ts';
import { say } from '../text/terminal.ts';

const EXAMPLES = `
Examples:
  $ flux-batch init                  a commented jobs.yaml to begin with
  $ flux-batch init spring.yaml      the same, under another name
  $ flux-batch init products.csv     products.yaml, which draws each row; also .tsv, .xlsx, .json, .jsonl
  $ flux-batch init prompts.txt      prompts.yaml, which draws each line
  $ flux-batch init photos/          photos.yaml, which edits each photo
`;

/** `flux-batch init`: writes a commented manifest to start from, or the one that uses a table, prompts or photos. */
export function initCommand(): Command {
  return new Command('init')
    .argument('[file]', 'the file to write, or what a manifest is to be written for', 'jobs.yaml')
    .addHelpText('after', EXAMPLES)
    .action(async (source: string) => {
      const { path, text, about, notes } = await starterFor(source);
      await writeNew(path, text, path === source ? 'Name another: flux-batch init other.yaml' : 'Move it away first.');
      for (const note of notes) say(note);
      say(`${path} is written: ${about}. Next:`);
      say(`  flux-batch plan ${path}      what it would make and cost; spends nothing
  flux-batch run ${path}       makes it; FLUX_API_KEY must be set
To try without a key or cost: flux-batch simulate, in another terminal, prints what to set for that.`);
    });
}

async function writeNew(path: string, text: string, hint: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new UsageError('file-exists', `${path} exists already`, { hint });
    }
    throw new UsageError('file-unwritable', `${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
