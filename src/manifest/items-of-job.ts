import type { RowEvent } from '../tables/row.ts';
import { readRows } from '../tables/rows.ts';

import {
  type Combination,
  combinationsOf,
  type ManifestItem,
  type Place,
  type RenderMistake,
  variantsOf,
} from './expand.ts';
import type { Job } from './job.ts';
import { type Manifest, rowsProblem } from './load.ts';
import { MAX_ITEMS } from './matrix-rules.ts';
import { hasPaths, type OwnPicture } from './own-pictures.ts';
import { formatPath, type Problem } from './problems.ts';
import { templateText, type Variables } from './template.ts';

type Listener = {
  report: (problem: Problem) => void;
  note?: (text: string) => void;
  signal: AbortSignal | undefined;
};

/**
 * Yields all items of a job, those of its rows as they are read. What makes no valid item is reported instead. An item
 * that appears twice is yielded twice.
 */
export async function* itemsOfJob(
  manifest: Manifest,
  job: Job,
  { report, note = () => {}, signal }: Listener,
): AsyncGenerator<ManifestItem, void, undefined> {
  const { batch, models } = manifest;
  const turned = turnedPictures();
  for await (const { values, place, onMistake } of rowsOf(job, { report, note, signal })) {
    for (const combination of combinationsOf(job, values, models, onMistake)) {
      signal?.throwIfAborted();
      // Only who has pictures of one's own waits for them: there may be a million others.
      const whole = hasPaths(combination.request) ? await withPictures(combination, manifest, job) : combination;
      if (Array.isArray(whole)) whole.forEach(onMistake);
      else {
        turned.look(whole.pictures);
        yield* variantsOf(batch, job, whole, place);
      }
    }
  }
  turned.tell(note);
}

type Row = { values: Variables; place: Place; onMistake: (mistake: RenderMistake) => void };

/** The rows of a job; one without variables where it has no file of them. */
async function* rowsOf(job: Job, { report, note = () => {}, signal }: Listener): AsyncGenerator<Row> {
  const source = templateText(job.id);
  const ofJobItself = { place: placeOf(job, source, ''), onMistake: (one: RenderMistake) => report(ofJob(job, one)) };
  if (job.rows === undefined) {
    yield { ...ofJobItself, values: {} };
    return;
  }
  const { shown, key } = job.rows;
  for await (const event of readRows(job.rows, signal)) {
    signal?.throwIfAborted();
    if (event.kind === 'mistake') report(rowsProblem(job, event));
    if (event.kind === 'note') note(`${shown}: ${event.message}`);
    if (event.kind !== 'row') continue;
    const { line, values } = event;
    const hidden = hiddenBy(job, event);
    if (hidden !== undefined) report(rowsProblem(job, { kind: 'mistake', line, message: hidden }));
    // A file has no line; the job has.
    else if (key === 'inputs')
      yield {
        values,
        place: placeOf(job, source, key),
        onMistake: (mistake) => report(ofJob(job, isOfFile(job, mistake.key) ? { ...mistake, key } : mistake)),
      };
    else
      yield {
        values,
        place: { job: source, file: shown, line },
        onMistake: ({ key: wrong, ...mistake }) =>
          report({ file: shown, line, path: formatPath(['jobs', job.number, wrong]), ...mistake }),
      };
  }
}

function hiddenBy(job: Job, { values }: Extract<RowEvent, { kind: 'row' }>): string | undefined {
  const hidden = job.variables.find((name) => Object.hasOwn(values, name));
  if (hidden === undefined) return undefined;
  return `"${hidden}" is in ${job.zipped.includes(hidden) ? 'the zip' : 'the matrix'} too`;
}

/** Whether the value of a key comes from the files that `inputs` names, and from no word of its own. */
function isOfFile({ positions }: Job, key: string): boolean {
  return key === 'inputImage' && !positions.has(key);
}

async function withPictures(
  combination: Combination,
  { pictures, models }: Manifest,
  job: Job,
): Promise<Combination | RenderMistake[]> {
  const settled = await pictures.settle(combination, job.file, models);
  return Array.isArray(settled) ? settled : { ...combination, ...settled };
}

const MOST_NAMED = 3;

/** Photos of telephones lie on their side, and say so in their EXIF data. They are sent as they are. */
function turnedPictures() {
  const named = new Set<string>();
  return {
    look(pictures: readonly OwnPicture[] = []): void {
      for (const { isTurned, path } of pictures) if (isTurned) named.add(path);
    },
    tell(note: (text: string) => void): void {
      if (named.size === 0) return;
      const some = [...named].slice(0, MOST_NAMED).join(', ');
      const more = named.size > MOST_NAMED ? ` and ${named.size - MOST_NAMED} more` : '';
      note(
        `${named.size === 1 ? 'a picture is' : `${named.size} pictures are`} turned by EXIF data only, which the provider may not heed: ${some}${more}`,
      );
    },
  };
}

function placeOf(job: Job, source: string, key: string): Place {
  const line = (job.positions.get(key) ?? job.positions.get(''))?.line;
  return { job: source, file: job.file, ...(line === undefined ? {} : { line }) };
}

function ofJob(job: Job, { key, ...mistake }: RenderMistake): Problem {
  const position = job.positions.get(key) ?? job.positions.get('');
  return { file: job.file, ...position, path: formatPath(['jobs', job.number, key]), ...mistake };
}

export function tooMany(job: Job): Problem {
  return {
    ...ofJob(job, { key: '', message: `expected at most ${MAX_ITEMS} images in one manifest` }),
    path: 'jobs',
  };
}
