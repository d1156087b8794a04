import { z } from 'zod';
import { formatProblem } from '../manifest/problems.ts';
import { formatDuration } from '../text/duration.ts';
import { plain, plural, shorten } from '../text/terminal.ts';

/** What a manifest would do, or was let do. */
export const dropPlanSchema = z.object({
  batch: z.string().describe('Its name'),
  digest: z.string().describe('sha256 of the manifest and what it includes, in hex'),
  items: z.int().describe('Images of the manifest'),
  toMake: z.int().describe('Those that are neither archived nor under way'),
  credits: z.number().nullable().describe('What making them costs; null where a model has no price'),
  usd: z.number().nullable(),
  pricesOf: z.string().describe('The day of the prices'),
  timeMs: z.int().describe('About how long it takes at the limits of the accounts, in milliseconds'),
  time: z
    .array(z.string())
    .exactOptional()
    .describe('The same in words; absent where it is by the rate limit of the one default account'),
  madeAgain: z.int().describe('Archived images that an edit of the manifest would have made again'),
  recorded: z.int().describe('Items of this batch that the archive has a record of'),
  isMuchMadeAgain: z.boolean().describe('They are more than a fifth of what is archived'),
  difference: z.array(z.string()).describe('What differs from what is archived, in words'),
  lost: z.int().describe('Items that had ended and are gone from the archive'),
  first: z.array(z.object({ name: z.string(), prompt: z.string() })).describe('The first of its items'),
  notes: z.array(z.string()).describe('What is no mistake, and perhaps not meant'),
});
export type DropPlan = z.infer<typeof dropPlanSchema>;

export const mistakeSchema = z.object({
  file: z.string().describe('Its path in the drop'),
  line: z.int().exactOptional().describe('1-based; absent where the whole file is meant'),
  column: z.int().exactOptional(),
  path: z.string().describe('Where in the manifest: jobs[2].matrix.color; empty where the whole file is meant'),
  message: z.string(),
  hint: z.string().exactOptional(),
});

export const endSchema = z.object({
  at: z.iso.datetime(),
  items: z.record(z.string(), z.number()).describe('Items of the batch by state'),
  credits: z
    .number()
    .nullable()
    .describe('What the batch has cost, all its runs together; null where that is not known any more'),
  gallery: z.string().describe('The page of the pictures'),
});

/** `report.json`, beside each drop that was taken. */
export const reportSchema = z.object({
  version: z.literal(1),
  take: z.string().describe('The name of its folder'),
  drop: z.string().describe('The name that it was dropped under'),
  status: z.enum(['accepted', 'waiting', 'rejected', 'ended']),
  at: z.iso.datetime(),
  batch: z.string().nullable(),
  plan: dropPlanSchema.nullable(),
  results: z.string().nullable().describe('Where the results will be'),
  why: z.string().nullable().describe('What it waits for'),
  mistakes: z.array(mistakeSchema),
  omitted: z.int().describe('How many more mistakes there are than are listed'),
  end: endSchema.nullable(),
});
export type Report = z.infer<typeof reportSchema>;

/** The same for people. */
export function drawReport(report: Report): string {
  return `${linesOf(report).map(plain).join('\n')}\n`;
}

function linesOf(report: Report): string[] {
  const { drop, plan, status, why, mistakes, omitted, batch } = report;
  if (status === 'rejected') {
    const count = mistakes.length + omitted;
    return [
      `${drop}: rejected, nothing was enqueued. ${plural(count, 'mistake')}:`,
      '',
      ...mistakes.map((mistake) => `  ${formatProblem(mistake)}`),
      ...(omitted > 0 ? [`  … and ${omitted} more`] : []),
      '',
      'Mend it and drop it again.',
    ];
  }
  if (plan === null) return [`${drop}: ${status}`];
  if (status === 'waiting') {
    return [
      `${drop}: waits for a person, nothing was enqueued: ${why ?? ''}`,
      '',
      ...planLines(plan),
      '',
      `To have it made:  flux-batch inbox approve ${batch ?? ''}`,
    ];
  }
  return [
    `${drop}: ${status === 'ended' ? 'ended' : 'accepted'}`,
    '',
    ...planLines(plan),
    `results    ${report.results ?? ''}`,
    ...endLines(report),
  ];
}

const count = (value: number) => value.toLocaleString('en-US');
const LONGEST_LINE = 100;

function planLines(plan: DropPlan): string[] {
  const isAll = plan.toMake === plan.items;
  const known = `${count(plan.items - plan.toMake)} archived or under way already`;
  return [
    `batch      ${plan.batch}`,
    `items      ${count(plan.items)}${isAll ? '' : `; ${plan.toMake === 0 ? 'nothing new' : `${count(plan.toMake)} to make`}, ${known}`}`,
    `cost       ${priceOf(plan)}`,
    ...timeLines(plan),
    ...(plan.madeAgain > 0
      ? [
          `made anew  ${count(plan.madeAgain)} of ${plural(plan.recorded, 'archived image')}: ${plan.difference.join('; ')}`,
        ]
      : []),
    ...plan.notes.map((note) => `note       ${note}`),
    ...plan.first.map(({ name, prompt }, index) =>
      shorten(`${index === 0 ? 'first      ' : '           '}${name}: ${prompt}`, LONGEST_LINE),
    ),
  ];
}

function timeLines({ toMake, timeMs, time }: DropPlan): string[] {
  if (toMake === 0) return [];
  const lines = time ?? [`about ${formatDuration(timeMs)} at the rate limit`];
  return lines.map((line, index) => `${index === 0 ? 'time       ' : '           '}${line}`);
}

/** `192 credits, about $0.96` */
export function priceOf({ credits, usd }: Pick<DropPlan, 'credits' | 'usd'>): string {
  if (credits === null) return 'not known: a model has no price';
  return `${plural(credits, 'credit')}, about $${(usd ?? 0).toFixed(2)}`;
}

function endLines({ end }: Report): string[] {
  if (end === null) return [];
  const states = Object.entries(end.items)
    .filter(([, items]) => items > 0)
    .map(([state, items]) => `${count(items)} ${state}`);
  return [
    '',
    `ended      ${end.at}`,
    `images     ${states.join(', ')}`,
    ...(end.credits === null ? [] : [`spent      ${plural(end.credits, 'credit')}, all runs together`]),
    `gallery    ${end.gallery}`,
  ];
}
