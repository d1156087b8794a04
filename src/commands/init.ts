import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { messageOf, UsageError } from '../errors.ts';
import { STARTER } from '../manifest/starter.ts';
import { say } from '../text/terminal.ts';

/** `flux-batch init`: writes a commented manifest to start from. */
export function initCommand(): Command {
  return new Command('init')
    .argument('[file]', 'the file to write', 'jobs.yaml')
    .addHelpText('after', '\nExamples:\n  $ flux-batch init\n  $ flux-batch init spring.yaml\n')
    .action(async (file: string) => {
      await writeNew(file);
      say(`${file} is written: 6 images, each line explained. Next:
  flux-batch plan ${file}      what it would make and cost; spends nothing
  flux-batch run ${file}       makes it; FLUX_API_KEY must be set
To try without a key or cost: flux-batch simulate, in another terminal, prints what to set for that.`);
    });
}

async function writeNew(file: string): Promise<void> {
  try {
    await writeFile(file, STARTER, { flag: 'wx' });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new UsageError('file-exists', `${file} exists already`, {
        hint: 'Name another: flux-batch init other.yaml',
      });
    }
    throw new UsageError('file-unwritable', `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
