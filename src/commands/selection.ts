import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { UsageError } from '../errors.ts';
import type { Selection } from '../manifest/selection.ts';

export type SelectionFlags = {
  only?: string[];
  limit?: number;
  set?: Record<string, string>;
  allowOutside?: true;
};

/** Flags of commands that read a manifest: they select items and override variables. */
export function withSelectionOptions(command: Command): Command {
  return command
    .option('--only <glob>', 'items whose name matches: teapot-*, with * and ?; may be repeated, or a,b', addPatterns)
    .option('--limit <count>', 'only the first so many of these items', parseLimit)
    .option('--set <variable=value>', 'this value instead of those of a matrix or of rows; may be repeated', addValue)
    .option('--allow-outside', 'tables, prompts and includes may be outside of the folder of the manifest');
}

/** How a command opens its manifest. */
export function openingOf(flags: SelectionFlags, { modelsFile, inputs }: Pick<Config, 'modelsFile' | 'inputs'>) {
  const { only = [], limit = Number.POSITIVE_INFINITY, set = {}, allowOutside = false } = flags;
  const selection: Selection = { only, limit, set };
  return { selection, stdin: process.stdin, modelsFile, allowOutside, inputMaxBytes: inputs.maxBytes };
}

function addPatterns(text: string, former: string[] = []): string[] {
  if (text.split(',').some((pattern) => pattern.trim() === ''))
    throw new UsageError('only-invalid', `Expected --only as a name or a pattern, got "${text}"`);
  return [...former, text];
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError('limit-invalid', `Expected --limit as a whole number from 1, got "${text}"`);
}

function addValue(text: string, former: Record<string, string> = {}): Record<string, string> {
  const parts = /^([^=]+)=(.*)$/s.exec(text);
  const [name, value] = [parts?.[1]?.trim(), parts?.[2]];
  if (name === undefined || name === '' || name === '__proto__' || value === undefined) {
    throw new UsageError('set-invalid', `Expected --set as variable=value, got "${text}"`, {
      hint: 'For instance: --set color=red --set "angle=three quarter"',
    });
  }
  if (Object.hasOwn(former, name)) throw new UsageError('set-invalid', `--set ${name} is given twice`);
  return { ...former, [name]: value };
}
