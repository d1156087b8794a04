import { relative } from 'node:path';
import { indexFiles, layout } from '../archive/layout.ts';
import { isStartedHere } from '../config.ts';
import type { Failure } from '../items/record.ts';
import { plural, table } from '../text/terminal.ts';
import type { ConfigFlags } from './options.ts';

/** The same submit would come to the same end: the manifest is to be changed, or a person to be asked. */
const IN_VAIN: readonly string[] = [
  'content-policy',
  'invalid-parameters',
  'feature-disabled',
  'unknown-outcome',
  'record-corrupt',
] satisfies (Failure['class'] | 'record-corrupt')[];

/** More ids than these are not written out. */
const FEW = 3;

export type Ending = {
  batch: string;
  /** The archive's URL: `s3://…` or an absolute folder. */
  archive: string;
  archived: number;
  /** Of each item that failed or is held. */
  failures: readonly { id: string; state: 'failed' | 'held' | 'unreadable' | 'missing'; class: string }[];
  /** So many archived items lack images that may still be had. */
  inPart: number;
  /** Given on the command line: what is suggested needs them too. */
  flags: Pick<ConfigFlags, 'archive' | 'redis'>;
};

/** What a person may want to do next: a command, and what it is for. */
export type Step = { command: string; what: string };

export function nextSteps({ batch, archive, archived, failures, inPart, flags }: Ending): Step[] {
  const given = [
    ...(flags.archive === undefined ? [] : [` --archive ${quoted(flags.archive)}`]),
    ...(flags.redis === undefined ? [] : [` --redis ${quoted(flags.redis)}`]),
  ].join('');
  const held = failures.filter(({ state }) => state === 'held').length;
  const missing = failures.filter(({ state }) => state === 'missing').map(({ id }) => id);
  const failed = failures.filter(({ state }) => state === 'failed');
  const again = failed.filter((failure) => !IN_VAIN.includes(failure.class));
  const classes = [...new Set(again.map((failure) => failure.class))].sort();
  const only = again.length === failed.length ? '' : ` --class ${classes.join(' ')}`;
  return [
    ...(archived > 0 ? [galleryStep(batch, archive, given)] : []),
    ...(held > 0
      ? [{ command: `flux-batch held ${batch}${given}`, what: `decide on ${plural(held, 'held item')}` }]
      : []),
    ...(again.length > 0
      ? [
          {
            command: `flux-batch retry ${batch}${only}${given}`,
            what: `make ${plural(again.length, 'failed item')} again: ${classes.join(', ')}`,
          },
        ]
      : []),
    ...(inPart > 0
      ? [
          {
            command: `flux-batch rescue ${batch}${given}`,
            what: `ask once more for what ${plural(inPart, 'item')} of several images ${inPart === 1 ? 'lacks' : 'lack'}, at no cost`,
          },
        ]
      : []),
    ...(missing.length > 0
      ? [
          {
            command: `flux-batch redo ${batch} ${missing.length > FEW ? '<ids>' : missing.join(' ')}${given}`,
            what: `make ${plural(missing.length, 'missing image')} anew, at ${missing.length === 1 ? 'its' : 'their'} price, where no copy is left to put back`,
          },
        ]
      : []),
  ];
}

function galleryStep(batch: string, archive: string, given: string): Step {
  const page = galleryIn(archive, batch);
  return page === undefined
    ? { command: `flux-batch results ${batch} --out ${batch}${given}`, what: 'bring images and gallery here' }
    : { command: `${opener().join(' ')} ${quoted(shortest(page))}`, what: 'the gallery' };
}

/** The page of an archive in a folder; undefined in a bucket. */
export function galleryIn(archive: string, batch: string): string | undefined {
  return /^s3:/i.test(archive) ? undefined : `${archive}/${layout.folder(batch)}${indexFiles.page}`;
}

/** What opens a file as a double click does. */
export function opener(platform = process.platform): string[] {
  if (platform === 'darwin') return ['open'];
  return platform === 'win32' ? ['explorer'] : ['xdg-open'];
}

/** Relative to where the person is. Whose npm script runs this in the folder of a package is elsewhere. */
function shortest(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith('..') || !isStartedHere() ? path : here;
}

function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function drawSteps(steps: readonly Step[]): string[] {
  return steps.length === 0 ? [] : ['next:', ...table(steps.map(({ command, what }) => [`  ${command}`, what]))];
}
