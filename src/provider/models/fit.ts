import type { ImageRequest } from '../../items/item.ts';
import { suggest } from '../../text/suggest.ts';
import { COMMON_WORDS, type Field, type ModelSheet, type Models } from './sheet.ts';

/** A word of the request that does not suit the model. `key` is the word's, `part` the name within `parameters`. */
export type Misfit = { key: string; part?: string; message: string; hint?: string };
type Value = string | number | boolean;
export type Body = Record<string, Value | string[]>;
export type Fit = { kind: 'fits'; body: Body } | { kind: 'misfits'; misfits: Misfit[] };

/** Words that only the default provider has. */
const ONLY_KONTEXT = ['enableTranslation', 'uploadCn', 'watermark'] as const;

/** The request as the model's API takes it, or everything in it that the model has no word for. Pure. */
export function fitToModel(request: ImageRequest, sheet: ModelSheet): Fit {
  const misfits: Misfit[] = [];
  const body: Body = { prompt: request.prompt };
  promptMisfits(request.prompt, sheet, misfits);
  const { model } = request;
  for (const word of COMMON_WORDS) {
    const value = request[word];
    const field = sheet.words?.[word];
    if (field) put(body, field.field ?? word, field, value, { key: word }, misfits);
    else if (value !== undefined)
      misfits.push({ key: word, message: `${model} has no such setting`, hint: knownTo(sheet) });
  }
  for (const word of ONLY_KONTEXT)
    if (request[word] !== undefined)
      misfits.push({ key: word, message: `${model} has no such setting`, hint: knownTo(sheet) });
  putImages(body, request, sheet, misfits);
  const own = sheet.fields ?? {};
  const given = request.parameters ?? {};
  for (const [name, field] of Object.entries(own))
    put(body, name, field, given[name], { key: 'parameters', part: name }, misfits);
  for (const name of Object.keys(given).filter((key) => !Object.hasOwn(own, key)))
    misfits.push(unknownParameter(name, model, sheet));
  sizeMisfit(body, sheet, misfits);
  if (misfits.length > 0) return { kind: 'misfits', misfits };
  const never = (sheet.never ?? []).find((pairs) =>
    Object.entries(pairs).every(([name, value]) => (body[name] ?? null) === value),
  );
  if (never) {
    const told = Object.entries(never).map(([name, value]) => (value === null ? `no ${name}` : `${name} ${value}`));
    return { kind: 'misfits', misfits: [{ key: 'model', message: `${model} takes no ${told.join(' with ')}` }] };
  }
  return { kind: 'fits', body };
}

function sizeMisfit({ width, height }: Body, { mostPixels = Infinity }: ModelSheet, to: Misfit[]): void {
  if (typeof width !== 'number' || typeof height !== 'number' || width * height <= mostPixels) return;
  const most = `${(mostPixels / 1_048_576).toFixed(0)} megapixels`;
  to.push({ key: 'parameters', part: 'width', message: `expected at most ${most}, got ${width} × ${height}` });
}

function promptMisfits(
  prompt: string,
  { prompt: { least = 1, most = Infinity } = {} }: ModelSheet,
  to: Misfit[],
): void {
  const { length } = prompt;
  if (length < least) to.push({ key: 'prompt', message: `expected at least ${least} characters, got ${length}` });
  if (length > most) to.push({ key: 'prompt', message: `expected at most ${most} characters, got ${length}` });
}

function put(
  body: Body,
  name: string,
  field: Field,
  given: Value | undefined,
  at: { key: string; part?: string },
  misfits: Misfit[],
): void {
  const value = given === undefined ? field.default : typed(given, field);
  if (value === undefined) {
    if (field.required) misfits.push({ ...at, message: 'is required' });
    return;
  }
  const wrong = mistakeIn(value, field);
  if (wrong !== undefined) {
    misfits.push({ ...at, message: `expected ${wrong}, got ${JSON.stringify(given)}` });
    return;
  }
  const spelt = Array.isArray(field.values) ? value : (field.values?.[String(value)] ?? value);
  if (typeof spelt === 'object') Object.assign(body, spelt);
  else body[name] = spelt;
}

/** A template gives text, whatever the field is. */
function typed(value: Value, { type, values }: Field): Value {
  if (typeof value !== 'string') return Array.isArray(values) && typeof values[0] === 'string' ? String(value) : value;
  if ((type === 'whole' || type === 'number') && /^\s*-?\d+(\.\d+)?\s*$/.test(value)) return Number(value);
  if (type === 'boolean' && /^(true|false)$/.test(value.trim())) return value.trim() === 'true';
  return value;
}

function mistakeIn(
  value: Value,
  { type, values, least = -Infinity, most = Infinity, step }: Field,
): string | undefined {
  if (values) {
    const permitted = Array.isArray(values) ? values : Object.keys(values);
    return permitted.some((one) => one === value) ? undefined : `one of ${permitted.join(', ')}`;
  }
  switch (type) {
    case 'whole':
      if (typeof value !== 'number' || !Number.isInteger(value)) return 'a whole number';
      break;
    case 'number':
      if (typeof value !== 'number') return 'a number';
      break;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    default:
      return typeof value === 'string' && value.trim() !== '' ? undefined : 'text';
  }
  if (value < least || value > most) return rangeOf(least, most);
  return step !== undefined && value % step !== 0 ? `a multiple of ${step}` : undefined;
}

/** Of an image to start from, where its model says so. */
export function inputBytesOf({ provider, model }: ImageRequest, models: Models): number | undefined {
  if (provider === undefined || provider === 'kie') return undefined;
  const most = Object.hasOwn(models[provider], model) ? models[provider][model]?.images?.mostMB : undefined;
  return most === undefined ? undefined : most * 1e6;
}

/** All images to start from, in their order. */
export function imagesOf({ inputImage, inputImages = [] }: Pick<ImageRequest, 'inputImage' | 'inputImages'>): string[] {
  return [...(inputImage === undefined ? [] : [inputImage]), ...inputImages];
}

function putImages(body: Body, request: ImageRequest, { images }: ModelSheet, misfits: Misfit[]): void {
  const urls = imagesOf(request);
  const key = request.inputImage === undefined && request.inputImages ? 'inputImages' : 'inputImage';
  const [first] = urls;
  if (first === undefined) {
    if (images?.required) misfits.push({ key, message: 'is required', hint: `${request.model} edits an image` });
    return;
  }
  if (!images) {
    misfits.push({ key, message: `${request.model} takes no image to start from` });
    return;
  }
  if (urls.length > images.most)
    misfits.push({ key, message: `expected at most ${images.most} images, got ${urls.length}` });
  if (images.form === 'list') body[images.field] = urls;
  else if (images.form === 'one') body[images.field] = first;
  else for (const [index, url] of urls.entries()) body[`${images.field}${index === 0 ? '' : `_${index + 1}`}`] = url;
}

function unknownParameter(name: string, model: string, sheet: ModelSheet): Misfit {
  const own = Object.keys(sheet.fields ?? {});
  const near = suggest(name, own);
  const common = Object.entries(sheet.words ?? {}).find(([word, field]) => suggest(name, [word, field?.field ?? word]));
  const hint =
    near !== undefined
      ? `did you mean ${near}?`
      : common
        ? `write ${common[0]}, beside prompt and model`
        : own.length > 0
          ? `known here: ${own.join(', ')}`
          : 'it has none';
  return { key: 'parameters', part: name, message: `${model} has no such parameter`, hint };
}

function knownTo({ words = {}, images }: ModelSheet): string {
  const known = ['prompt', ...Object.keys(words), ...(images ? ['inputImage'] : [])];
  return `it knows ${known.join(', ')} and its own parameters`;
}

function rangeOf(least: number, most: number): string {
  if (most === Infinity) return `${least} or more`;
  return least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
}
