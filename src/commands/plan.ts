import { Command } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import type { NewItem } from '../items/item.ts';
import { expand, type Manifest, openManifest } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { templateText } from '../manifest/template.ts';
import { asksFirst } from '../money/asks-first.ts';
import { budgetCredits } from '../money/budget.ts';
import { costOf, countOf, together } from '../money/estimate.ts';
import { loadPrices } from '../money/load-prices.ts';
import { drawPlan, madeOf, type Plan } from '../plan/draw.ts';
import { type Survey, survey } from '../plan/survey.ts';
import { timeOf } from '../plan/time.ts';
import { openClosers } from '../wiring/closers.ts';
import { openArchiveOf } from '../wiring/connections.ts';
import { type ConfigFlags, overridesOf, withBudgetOption, withWorkerOptions } from './options.ts';
import { openingOf, type SelectionFlags, withSelectionOptions } from './selection.ts';

const SHOWN_PROMPTS = 5;
/** The width to draw in when stdout is not a terminal. */
const WIDTH = 100;

/**
 * `flux-batch plan`: shows what a run would do, and spends nothing. It needs neither Redis nor a key, and reads the archive
 * if it is reachable.
 */
export function planCommand(): Command {
  return withSelectionOptions(withBudgetOption(withWorkerOptions(new Command('plan'))))
    .argument('<manifest>', 'the YAML file; - for stdin')
    .option('--json', 'print the plan as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ flux-batch plan jobs.yaml\n  $ flux-batch plan jobs.yaml --json | jq .credits\n',
    )
    .action(async (file: string, flags: ConfigFlags & SelectionFlags & { json?: true }) => {
      const config = loadConfig(overridesOf(flags));
      const prices = await loadPrices(config);
      const { manifest, totals } = await openManifest(file, openingOf(flags, config));
      const found = await lookIntoArchive(config, manifest);
      const left = found.kind === 'looked' ? together(found.left, found.waiting) : totals.byModel;
      const toMake = countOf(left);
      const cost = costOf(left, prices);
      const first = await firstItems(manifest);
      const plan = {
        manifest,
        totals,
        prices,
        config,
        survey: found,
        toMake,
        cost,
        time: timeOf(left, config.lanes),
        byModel: left,
        asksFirst: asksFirst(left, prices, config),
        first,
      };
      const text = flags.json
        ? [JSON.stringify(planJson(plan), null, 2)]
        : drawPlan(plan, process.stdout.columns ?? WIDTH);
      process.stdout.write(`${text.join('\n')}\n`);
    });
}

async function lookIntoArchive(config: Config, manifest: Manifest): Promise<Survey> {
  const closers = openClosers();
  try {
    return await survey(
      () => openArchiveOf(config, closers),
      manifest.batch,
      () => expand(manifest),
      { ...config, isPart: isPart(manifest.selection) },
    );
  } finally {
    await closers.closeAll();
  }
}

async function firstItems(manifest: Manifest): Promise<NewItem[]> {
  const first: NewItem[] = [];
  for await (const item of expand(manifest)) {
    if (first.push(item) === SHOWN_PROMPTS) break;
  }
  return first;
}

function planJson({ manifest, totals, prices, config, survey: found, toMake, cost, time, asksFirst, first }: Plan) {
  return {
    batch: manifest.batch,
    items: totals.items,
    byModel: totals.byModel,
    repeated: totals.repeated,
    warnings: manifest.warnings,
    toMake,
    ...(found.kind === 'looked'
      ? {
          archived: found.archived,
          adopted: found.adopted,
          begun: found.begun,
          missing: found.missing,
          unreadable: found.unreadable,
          unread: found.unread,
          // Among `toMake`: left by earlier runs, and not in this manifest or this part of it.
          waiting: countOf(found.waiting),
          difference: found.difference ?? null,
        }
      : {
          archived: null,
          adopted: null,
          begun: null,
          missing: null,
          unreadable: null,
          unread: null,
          waiting: null,
          archiveUnreachable: found.message,
        }),
    jobs: manifest.jobs.map((job) => ({
      id: templateText(job.id),
      file: job.file,
      items: totals.byJob[job.index] ?? 0,
      byModel: totals.modelsByJob[job.index] ?? {},
      madeOf: madeOf(job),
    })),
    // The cost of the items that are still to be made.
    ...cost,
    pricesOf: prices.date,
    submitTimeMs: time.submitMs,
    // Null where each account has share: 0.
    timeMs: toMake === 0 ? 0 : (time.ms ?? null),
    budget: budgetCredits(config.budget, prices)?.all ?? null,
    budgets: budgetCredits(config.budget, prices)?.accounts ?? {},
    asksFirst,
    notes: totals.notes,
    first: first.map(({ id, name, request }) => ({ id, name, prompt: request.prompt })),
  };
}
