import type { Config } from '../config.ts';
import type { NewItem } from '../items/item.ts';
import type { Job } from '../manifest/job.ts';
import type { Manifest, Totals } from '../manifest/manifest.ts';
import { formatProblem } from '../manifest/problems.ts';
import { describeRepeats } from '../manifest/repeats.ts';
import { isPart } from '../manifest/selection.ts';
import { templateText } from '../manifest/template.ts';
import { budgetCredits, describeBudget, fitsBudget } from '../money/budget.ts';
import { type Cost, countOf, describeAtMost } from '../money/estimate.ts';
import { creditsOf, kindsIn, type Prices } from '../money/prices.ts';
import type { RowsFile } from '../tables/rows-file.ts';
import { plain, plural, shorten, table } from '../text/terminal.ts';
import { describeDifference } from './describe-difference.ts';
import { describeTime } from './describe-time.ts';
import type { Survey } from './survey.ts';
import type { PlannedTime } from './time.ts';

export type Plan = {
  manifest: Manifest;
  totals: Totals;
  prices: Prices;
  config: Config;
  survey: Survey;
  /** Number of items to make, their cost, and how long they take. */
  toMake: number;
  cost: Cost;
  time: PlannedTime;
  /** The same by what their price goes by. */
  byModel: Readonly<Record<string, number>>;
  asksFirst: boolean;
  first: readonly NewItem[];
};

const MAX_NAME = 30;

/** Draws a plan as lines of text, cut to `width` columns. The facts at the top have at least 80. */
export function drawPlan(plan: Plan, width: number): string[] {
  const { manifest, totals, first } = plan;
  const names = first.map((item) => `  ${shorten(plain(item.name), MAX_NAME)}`);
  const nameWidth = Math.max(0, ...names.map((name) => name.length));
  return [
    `${manifest.batch}: ${plural(totals.items, 'item')} from ${plural(manifest.jobs.length, 'job')}`,
    ...table([
      ...archiveLines(plan),
      ['  price', priceOf(plan)],
      ...atMostLines(plan),
      ...budgetLines(plan),
      ...timeLines(plan),
      ['  models', modelsOf(totals.byModel)],
    ]).map((line) => shorten(line, Math.max(width, 80))),
    ...noteLines(plan),
    '',
    ...jobLines(plan).map((line) => shorten(line, width)),
    '',
    `first ${plural(first.length, 'prompt')}:`,
    ...table(first.map((item, at) => [names[at] ?? '', shorten(plain(item.request.prompt), width - nameWidth - 2)])),
  ];
}

function noteLines({ totals, manifest }: Plan): string[] {
  const { repeated } = totals;
  return [
    ...(repeated.count === 0 ? [] : [`  ${plain(describeRepeats(repeated))}`]),
    ...totals.notes.map((note) => `  note: ${plain(note)}`),
    ...manifest.warnings.map((warning) => `  warning: ${plain(formatProblem(warning))}`),
  ];
}

function archiveLines({ manifest, survey, totals, toMake, config }: Plan): string[][] {
  const count = toMake.toLocaleString('en-US');
  if (survey.kind === 'unreachable') {
    return [
      ['  to make', `${count}, if nothing is archived yet: the archive was not to be asked`],
      ['', plain(survey.message)],
    ];
  }
  const { archived, adopted, begun, missing, unreadable, unread } = survey;
  const waiting = countOf(survey.waiting);
  const differs = (survey.difference ? describeDifference(survey.difference) : []).map((text) => ['', text]);
  if (toMake - waiting === totals.items && waiting === 0)
    return differs.length === 0 ? [] : [['  to make', `${count}, none of it is archived as it is`], ...differs];
  return [
    ['  to make', `${count}; already archived: ${archived.toLocaleString('en-US')}, in ${plain(config.archiveUrl)}`],
    ...differs,
    ...(adopted === 0 ? [] : [['  taken over', `${plural(adopted, 'image')} from a former name, at no cost`]]),
    ...(waiting === 0
      ? []
      : [
          [
            '  waiting',
            `${waiting.toLocaleString('en-US')} of these are of earlier runs, and not ${isPart(manifest.selection) ? 'in this part' : 'in the manifest'}: flux-batch cancel ${manifest.batch} ends them`,
          ],
        ]),
    ...(begun === 0 ? [] : [['  begun', `${plural(begun, 'item')} under way, held or failed, none submitted again`]]),
    ...(missing === 0
      ? []
      : [
          [
            '  missing',
            `${plural(missing, 'image')} gone from the archive: flux-batch results ${manifest.batch} names ${missing === 1 ? 'it' : 'them'}`,
          ],
        ]),
    ...(unreadable === 0
      ? []
      : [
          [
            '  unreadable',
            `${plural(unreadable, 'record')} that cannot be read, none submitted again: flux-batch results ${manifest.batch} names ${unreadable === 1 ? 'it' : 'them'}`,
          ],
        ]),
    ...(unread === 0
      ? []
      : [['  unread', `${plural(unread, 'record')} without an image; some may be submitted again`]]),
  ];
}

function priceOf({ cost, prices, totals, toMake }: Plan): string {
  if (cost.credits === undefined) return `no price for ${cost.unpriced.join(', ')} (FLUX_PRICES)`;
  const rest = toMake < totals.items ? ' for what is to make,' : ',';
  return `${cost.credits.toLocaleString('en-US')} credits${rest} about $${cost.usd?.toFixed(2)} at the prices of ${prices.date}`;
}

function atMostLines({ cost }: Plan): string[][] {
  const most = describeAtMost(cost);
  return most === undefined ? [] : [['', most]];
}

function timeLines({ toMake, time }: Plan): string[][] {
  if (toMake === 0) return [];
  return describeTime(time).map((line, index) => [index === 0 ? '  time' : '', line]);
}

function budgetLines({ cost, byModel, config, asksFirst, prices }: Plan): string[][] {
  const { budget, confirmCredits } = config;
  const asks = asksFirst ? [['  ask', `run asks first, or takes --yes: CONFIRM_CREDITS=${confirmCredits}`]] : [];
  const most = budgetCredits(budget, prices);
  if (!most) return asks;
  const words = {
    wherever: 'enough',
    'at-first': 'enough where each is made by the first of its providers',
    no: cost.credits === undefined ? 'run refuses without a price' : 'not for all: run stops there',
  };
  return [['  budget', `${describeBudget(most, prices)}: ${words[fitsBudget(byModel, prices, most)]}`], ...asks];
}

function jobLines({ manifest, totals, prices }: Plan): string[] {
  const rows = manifest.jobs.map((job) => {
    const items = totals.byJob[job.index] ?? 0;
    const each = Object.keys(totals.modelsByJob[job.index] ?? {})
      .flatMap(kindsIn)
      .map((model) => creditsOf(prices, model) ?? '?');
    return [items.toLocaleString('en-US'), each.join('/'), plain(templateText(job.id)), plain(madeOf(job))];
  });
  const cells = [['items', 'credits each', 'job', 'made of'], ...rows];
  const [first = 0, second = 0] = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return table(
    cells.map(([items = '', each = '', job = '', of = '']) => [
      `  ${items.padStart(first)}`,
      each.padStart(second),
      shorten(job, 40),
      of,
    ]),
  );
}

/** `products.csv × 2 color × 3 angle × 4 variants`; nothing for a single image. */
export function madeOf({ rows, axes, exclude, variants }: Job): string {
  const lists = axes.map((axis) => `${axis.length} ${Object.keys(axis[0] ?? {}).join('+')}`);
  const less = exclude.length === 0 ? '' : ` less ${plural(exclude.length, 'exclusion')}`;
  const combined = lists.length === 0 ? [] : [`${lists.join(' × ')}${less}`];
  const times = variants === 1 ? [] : [plural(variants, 'variant')];
  return [...(rows === undefined ? [] : [rowsOf(rows)]), ...combined, ...times].join(' × ');
}

function rowsOf({ shown, wanted: { where, limit } }: RowsFile): string {
  const conditions = Object.entries(where).map(([name, values]) => `${name}=${values.join(',')}`);
  const parts = [...conditions, ...(limit === Number.POSITIVE_INFINITY ? [] : [`first ${limit}`])];
  return parts.length === 0 ? shown : `${shown} (${parts.join(', ')})`;
}

function modelsOf(byModel: Readonly<Record<string, number>>): string {
  return Object.entries(byModel)
    .map(([model, count]) => `${model} ${count.toLocaleString('en-US')}`)
    .join(', ');
}
