import { Command } from 'commander';
import { manifestJsonSchema } from '../manifest/json-schema.ts';
import { printJson } from './print.ts';

/** `flux-batch schema`: prints the JSON Schema that editors use to complete and check a manifest. */
export function schemaCommand(): Command {
  return new Command('schema')
    .addHelpText(
      'after',
      `
Example:
  $ flux-batch schema > manifest.schema.json
and as the first line of a manifest beside it, for editors with the YAML language server (VS Code, Neovim, …):
  # yaml-language-server: $schema=manifest.schema.json
`,
    )
    .action(() => {
      printJson(manifestJsonSchema(), { indent: 2 });
    });
}
