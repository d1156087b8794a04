import { ASPECT_RATIOS, MODELS } from '../items/item.ts';
import { VARIABLE_NAME } from '../manifest/template.ts';
import { ROW_NUMBER } from '../tables/rows-file.ts';
import type { TableSurvey } from './survey-table.ts';

/** A job that draws a table: which of its columns is what. */
export type TableJob = {
  id: string;
  prompt: string;
  /** Further parameters, each a template. */
  parameters: Readonly<Record<string, string>>;
  /** Columns that may stand in `{{ }}`. */
  columns: readonly string[];
};

/** By their names, the likeliest first. */
const PROMPTS = ['prompt', 'text prompt', 'caption', 'text', 'description'];
const SUBJECTS = ['product', 'title', 'name', 'item', 'object', 'subject', 'article'];
const IDS = ['id', 'sku', 'key', 'code', 'slug', 'number', 'nr', 'no', 'name'];
const MAX_ID = 60;

/** Guesses from names and values. Who reads the manifest sees what was guessed, and `plan` shows what comes of it. */
export function tableJob({ columns: all, sample }: Pick<TableSurvey, 'columns' | 'sample'>): TableJob {
  const columns = all.filter((name) => VARIABLE_NAME.test(name));
  const valuesOf = (name: string) => sample.map((row) => row[name] ?? '');
  const every = (name: string, isSo: (value: string) => boolean) => valuesOf(name).every(isSo);
  const named = (names: readonly string[], candidates: readonly string[]) =>
    names.flatMap((wanted) => candidates.find((name) => plain(name) === wanted) ?? [])[0];
  const length = (name: string) => valuesOf(name).reduce((sum, value) => sum + value.length, 0);
  const longest = (names: readonly string[]) => [...names].sort((a, b) => length(b) - length(a))[0];
  const isDistinct = (name: string) => new Set(valuesOf(name)).size === sample.length;

  const picture = columns.find((name) => every(name, (value) => /^https?:\/\/\S+$/i.test(value)));
  const ratio = columns.find((name) => every(name, (value) => ASPECT_RATIOS.some((known) => known === value)));
  const model = columns.find((name) => every(name, (value) => MODELS.some((known) => known === value)));
  const taken = [picture, ratio, model];
  const texts = columns.filter((name) => !taken.includes(name));

  const ids = texts.filter(
    (name) => isDistinct(name) && every(name, (value) => value !== '' && value.length <= MAX_ID),
  );
  const prompt = named(PROMPTS, texts) ?? named(SUBJECTS, texts) ?? longest(texts);
  const others = ids.filter((name) => name !== prompt);
  const id = named(IDS, others) ?? others[0] ?? ROW_NUMBER;
  return {
    id: inBraces(id),
    prompt: prompt === undefined ? 'What to draw' : inBraces(prompt),
    parameters: {
      ...(picture === undefined ? {} : { inputImage: inBraces(picture) }),
      ...(ratio === undefined ? {} : { aspectRatio: inBraces(ratio) }),
      ...(model === undefined ? {} : { model: inBraces(model) }),
    },
    columns,
  };
}

const inBraces = (name: string) => `{{ ${name} }}`;
const plain = (name: string) =>
  name
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();
