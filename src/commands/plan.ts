import { Command } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { formatDuration, formatRate } from '../duration.ts';
import { type Cost, costOf, submitTimeMs } from '../estimate.ts';
import { expand, openManifest } from '../manifest/manifest.ts';
import { render, type Template } from '../manifest/template.ts';
import { loadPrices } from '../prices.ts';
import { plain, plural, shorten, table } from '../terminal.ts';
import { type ConfigFlags, overridesOf, withBudgetOption, withWorkerOptions } from './options.ts';
import { type SelectionFlags, selectionOf, withSelectionOptions } from './selection.ts';

const SHOWN_PROMPTS = 5;

/** `flux-batch plan`: what a manifest would do; needs no Redis, no archive and no key, and spends nothing. */
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
      const prices = await loadPrices(config.pricesFile);
      const { manifest, totals } = await openManifest(file, { selection: selectionOf(flags) });
      const cost = costOf(totals.byModel, prices);
      const timeMs = submitTimeMs(totals.items, config.rateLimit);
      const first = [];
      for await (const item of expand(manifest)) {
        if (first.push(item) === SHOWN_PROMPTS) break;
      }
      if (flags.json) {
        const jobs = manifest.jobs.map((job) => ({ id: sourceOf(job.id), items: totals.byJob[job.index] ?? 0 }));
        const plan = {
          batch: manifest.batch,
          items: totals.items,
          byModel: totals.byModel,
          jobs,
          ...cost,
          pricesOf: prices.date,
          submitTimeMs: timeMs,
          budget: config.budgetCredits ?? null,
          asksFirst: asksFirst(cost, config),
        };
        process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
        return;
      }
      const price =
        cost.credits === undefined
          ? `no price for ${cost.unpriced.join(', ')} (FLUX_PRICES)`
          : `${cost.credits.toLocaleString('en-US')} credits, about $${cost.usd?.toFixed(2)} at the prices of ${prices.date}`;
      const lines = [
        `${manifest.batch}: ${plural(totals.items, 'item')} from ${plural(manifest.jobs.length, 'job')}`,
        ...table([
          ['  price', price],
          ...budgetLine(cost, config),
          [
            '  time',
            `at least ${formatDuration(timeMs)} to submit at ${formatRate(config.rateLimit)}, and the last task's own`,
          ],
          [
            '  models',
            Object.entries(totals.byModel)
              .map(([model, count]) => `${model} ${count}`)
              .join(', '),
          ],
        ]),
        '',
        ...table([
          ['  items', 'job'],
          ...manifest.jobs.map((job) => [`  ${totals.byJob[job.index] ?? 0}`, plain(sourceOf(job.id))]),
        ]),
        '',
        `first ${plural(first.length, 'prompt')}:`,
        ...table(first.map((item) => [`  ${plain(item.name)}`, shorten(plain(item.request.prompt), 100)])),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

/** Whether `run` asks before it spends so much, or wants `--yes`. */
function asksFirst({ credits }: Cost, { budgetCredits, confirmCredits }: Config): boolean {
  return credits === undefined || Math.min(credits, budgetCredits ?? credits) > confirmCredits;
}

function budgetLine(cost: Cost, config: Config): string[][] {
  const { budgetCredits, confirmCredits } = config;
  const asks = asksFirst(cost, config) ? `run asks first, or takes --yes: CONFIRM_CREDITS=${confirmCredits}` : '';
  if (budgetCredits === undefined) return asks === '' ? [] : [['  ask', asks]];
  const fits = cost.credits !== undefined && cost.credits <= budgetCredits;
  const verdict = fits
    ? 'enough'
    : cost.credits === undefined
      ? 'run refuses without a price'
      : 'not for all: run stops there';
  return [['  budget', `${budgetCredits} credits: ${verdict}`], ...(asks === '' ? [] : [['  ask', asks]])];
}

/** The template as it stands in the manifest, but for spaces within the braces. */
function sourceOf(template: Template): string {
  return render(template, Object.fromEntries(template.names.map((name) => [name, `{{ ${name} }}`])));
}
