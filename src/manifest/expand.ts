import { embedOf, type ImageRequest, listOf, type NewItem } from '../items/item.ts';
import { itemId } from '../items/item-id.ts';
import { requestInOneForm, textInOneForm } from '../items/one-form.ts';
import type { Models } from '../provider/models/sheet.ts';
import { findingsOf } from './check.ts';
import { checkRequest } from './check-request.ts';
import { coerce, type Job } from './job.ts';
import { combinations } from './matrix.ts';
import type { OwnPicture } from './own-pictures.ts';
import { nameSchema } from './request-schema.ts';
import { missing, render, type Template, type Variables } from './template.ts';

/** Where an item comes from. `job`: the job's id as the manifest has it. */
export type Place = { job: string; file: string; line?: number };

/**
 * An item as its manifest has it. `written`: its texts, where they are not in one form. `was`: its former name. `pictures`: those on
 * this machine that it starts from.
 */
export type ManifestItem = NewItem & {
  place: Place;
  written?: Rendered;
  was?: string;
  pictures?: readonly OwnPicture[];
};

/** One combination of values that makes no valid item. `key` is the job's key whose rendered value is invalid. */
export type RenderMistake = { key: string; message: string; hint?: string };

/** One combination of a row: all of an item but its variant. Its request may name pictures by their paths yet. */
export type Combination = Rendered & Pick<ManifestItem, 'providers' | 'variables' | 'written' | 'was' | 'pictures'>;

/**
 * Yields each combination of the matrix for one row. An invalid one makes no item; `onMistake` is called instead.
 */
export function* combinationsOf(
  job: Job,
  row: Variables,
  models: Models,
  onMistake: (mistake: RenderMistake) => void,
): Generator<Combination, void, undefined> {
  for (const combination of combinations(job.axes, job.exclude, job.set)) {
    const variables = { ...row, ...combination };
    const rendered = renderJob(job, variables, models);
    if (Array.isArray(rendered)) {
      rendered.forEach(onMistake);
      continue;
    }
    const name = textInOneForm(rendered.name);
    const request = requestInOneForm(rendered.request);
    const asWritten = { name: rendered.name, request: rendered.request };
    const written = isWrittenSo(asWritten, { name, request }) ? {} : { written: asWritten };
    const was = job.was ? { was: textInOneForm(render(job.was, variables).trim()) } : {};
    yield { name, request, ...listOf(rendered), variables, ...written, ...was };
  }
}

/** The items of one combination. */
export function* variantsOf(
  batch: string,
  job: Job,
  { name, request, ...combination }: Combination,
  place: Place,
): Generator<ManifestItem, void, undefined> {
  for (let variant = 1; variant <= job.variants; variant++) {
    const id = itemId(name, request, variant);
    yield { batch, id, name, variant, priority: job.priority, request, ...embedOf(job), ...combination, place };
  }
}

type Rendered = { name: string; request: ImageRequest };

function isWrittenSo(written: Rendered, inOneForm: Rendered): boolean {
  const texts = ({ name, request: { prompt, watermark } }: Rendered) => [name, prompt, watermark];
  const [one, other] = [texts(written), texts(inOneForm)];
  return one.every((text, index) => text === other[index]);
}

function renderJob(
  job: Job,
  variables: Variables,
  models: Models,
): (Rendered & Pick<ManifestItem, 'providers'>) | RenderMistake[] {
  const absent = absentVariables(job, variables);
  if (absent.length > 0) return absent;
  const name = nameSchema.safeParse(render(job.id, variables), { reportInput: true });
  const request = checkRequest(draftOf(job, variables), models);
  if (name.success && !Array.isArray(request)) return { name: name.data, ...request };
  const idFindings = name.success ? [] : name.error.issues.flatMap((issue) => findingsOf(issue, ['id']));
  const ofId = idFindings.map(({ message }) => ({ key: 'id', message }));
  const ofRequest = Array.isArray(request) ? request : [];
  return [...ofId, ...ofRequest.map(({ part, message, ...more }) => ({ ...more, message: inPart(part, message) }))];
}

const inPart = (part: string | undefined, message: string) => (part === undefined ? message : `${part}: ${message}`);

function draftOf(job: Job, variables: Variables): Record<string, unknown> {
  const draft: Record<string, unknown> = {};
  const parameters: Record<string, unknown> = {};
  const images: unknown[] = [];
  for (const { name, part, value } of job.parameters) {
    const filled = typeof value === 'object' ? coerce(name, render(value, variables)) : value;
    if (part === undefined) draft[name] = filled;
    else if (name === 'inputImages') images.push(filled);
    else parameters[part] = filled;
  }
  if (images.length > 0) draft.inputImages = images;
  if (Object.keys(parameters).length > 0) draft.parameters = parameters;
  return draft;
}

/** What a spreadsheet shows in place of a value that it could not calculate. It would be drawn. */
const ERROR_VALUE = /^(#(N\/A|REF!|VALUE!|DIV\/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!)|Err:\d{3})$/;

function absentVariables(job: Job, variables: Variables): RenderMistake[] {
  const absent: RenderMistake[] = [];
  const look = (key: string, template: Template) => {
    for (const name of missing(template, variables))
      absent.push({ key, message: `no value for "${name}" in this row` });
    for (const name of template.names) {
      const error = ERROR_VALUE.exec(variables[name] ?? '')?.[0];
      if (error) absent.push({ key, message: `"${name}" is ${error} in this row, an error of the spreadsheet` });
    }
  };
  look('id', job.id);
  if (job.was) look('was', job.was);
  for (const { name, value } of job.parameters) if (typeof value === 'object') look(name, value);
  return absent;
}
