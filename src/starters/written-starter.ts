import { plural } from '../text/terminal.ts';
import { HEAD } from './starter.ts';
import type { TableSurvey } from './survey-table.ts';
import { tableJob } from './table-job.ts';

const SHOWN_COLUMNS = 12;

/** The manifest that draws a table: an image for each row. */
export function tableStarter(survey: TableSurvey): string {
  const { file, rows } = survey;
  const { id, prompt, parameters, columns } = tableJob(survey);
  const [first] = columns;
  const value = first === undefined ? undefined : survey.sample[0]?.[first];
  const shown = columns.slice(0, SHOWN_COLUMNS).join(', ') + (columns.length > SHOWN_COLUMNS ? ', …' : '');
  return `${headOf(file, Object.keys(parameters))}
jobs:
  # An image for each of the ${plural(rows, 'row')} of ${oneLine(file)}. Its columns are variables:
  # ${oneLine(shown)}
  - id: ${text(id)} # what an image is called
    # What to draw: any text, with any columns in {{ }}.
    prompt: ${text(prompt)}
${Object.entries(parameters)
  .map(([name, template]) => `    ${name}: ${text(template)}\n`)
  .join('')}    rows: ${text(file)}
    # Some of the rows only:
    # rows: { file: ${text(file)}, ${first === undefined ? '' : `where: { ${text(first)}: ${text(oneLine(value ?? ''))} }, `}limit: 10 }
`;
}

/** The same in as few lines as there can be. */
export function tableLines(survey: TableSurvey): string {
  const { id, prompt, parameters } = tableJob(survey);
  const further = Object.entries(parameters).map(([name, template]) => `    ${name}: ${text(template)}\n`);
  const job = `  - id: ${text(id)}\n    prompt: ${text(prompt)}\n${further.join('')}    rows: ${text(survey.file)}`;
  return `${fewest(survey.file)}${job}`;
}

/** The fewest lines that draw a file of prompts. */
export function promptsLines({ file }: Pick<TableSurvey, 'file'>): string {
  return `${fewest(file)}  - prompts: ${text(file)}`;
}

const fewest = (file: string) => `version: 1\nbatch: ${text(batchOf(file))}\njobs:\n`;

/** The manifest that draws a file of prompts: an image for each line. */
export function promptsStarter({ file, rows }: Pick<TableSurvey, 'file' | 'rows'>): string {
  return `${headOf(file)}
jobs:
  # An image for each of the ${plural(rows, 'prompt')} in ${oneLine(file)}, named by its first words. A line that begins with # and a
  # space is a comment.
  - prompts: ${text(file)}
    # A text around each of them; {{ prompt }} is the line:
    # prompt: "{{ prompt }}, gouache illustration"
`;
}

/** The manifest that edits the photos of a folder. */
export function photosStarter(folder: string): string {
  return `${headOf(folder, ['aspectRatio'])}
jobs:
  # Editing: an image for each photo in ${oneLine(folder)}, called as the photo is. {{ file }}, {{ name }} and {{ folder }} tell them apart.
  - inputs: ${text(folder)}
    # What to change in each of them.
    prompt: Put it on a plain white background and keep everything else as it is
`;
}

/** Only what no column says. */
function headOf(source: string, given: readonly string[] = []): string {
  const lines = {
    model: '  model: flux-kontext-pro # or flux-kontext-max: stronger and dearer\n',
    aspectRatio: '  aspectRatio: "4:3" # 21:9 16:9 4:3 1:1 3:4 9:16\n',
    outputFormat: '  outputFormat: png # or jpeg\n',
  };
  // An edited image keeps its own ratio.
  const without = given.includes('inputImage') ? [...given, 'aspectRatio'] : given;
  const defaults = Object.entries(lines).flatMap(([name, line]) => (without.includes(name) ? [] : [line]));
  return `${HEAD}batch: ${text(batchOf(source))}

# For every job that does not say otherwise. Prices are by model and image: flux-batch plan tells.
defaults:
${defaults.join('')}`;
}

/** A batch's name of a file's: `Products (2).csv` → `products-2`. */
export function batchOf(source: string): string {
  const name = source
    .replace(/\.[^.]*$/, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-|-$/g, '');
  return name === '' ? 'my-first-batch' : name;
}

/** In quotes, as YAML and JSON both read it. */
const text = (value: string) =>
  /^[a-z][\w./-]*$/i.test(value) && !/^(true|false|null)$/i.test(value) ? value : JSON.stringify(value);
const oneLine = (value: string) => value.replace(/\s+/g, ' ');
