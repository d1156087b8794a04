import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { connect } from '../connections.ts';
import { formatDuration } from '../duration.ts';
import { unknownBatch } from '../known-batch.ts';
import { doneOf } from '../progress/view.ts';
import { type BatchCounts, hasEnded } from '../queue/batch-state.ts';
import { STAGES } from '../queue/queues.ts';
import { plain, table } from '../terminal.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';

/** `flux-batch status`: batches and queue depths, as Redis has them now. */
export function statusCommand(): Command {
  return withConfigOptions(new Command('status'))
    .description('batches, queue depths and what is stopped')
    .argument('[batch]', 'only this one')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ flux-batch status\n  $ flux-batch status spring-catalog --json | jq .batches[0].items\n',
    )
    .action(async (batch: string | undefined, flags: ConfigFlags & { json?: true }) => {
      const connections = await connect(loadConfig(overridesOf(flags)), { patient: false, prove: false });
      try {
        const { state, queues } = connections;
        const names = batch === undefined ? await state.batches() : [batch];
        const found = (await Promise.all(names.map((name) => state.counts(name)))).filter(
          (counts) => counts !== undefined,
        );
        if (batch !== undefined && found.length === 0) throw unknownBatch(batch, await state.batches());
        const [depths, gate] = [await queues.depths(), await state.gate()];
        if (flags.json) {
          process.stdout.write(`${JSON.stringify({ batches: found, queues: depths, gate: gate ?? null }, null, 2)}\n`);
          return;
        }
        const lines = [
          ...(found.length === 0 ? ['no batches'] : table([HEAD, ...found.map(rowOf)])),
          '',
          ...table([
            ['queue', 'waiting', 'active', 'delayed'],
            ...STAGES.map((stage) => {
              const { waiting = 0, prioritized = 0, active = 0, delayed = 0 } = depths[stage];
              return [stage, String(waiting + prioritized), String(active), String(delayed)];
            }),
          ]),
          ...(gate
            ? [
                '',
                `submitting is stopped (${gate.refusal}) for ${formatDuration(Date.now() - gate.since)}: ${plain(gate.message)}`,
              ]
            : []),
        ];
        process.stdout.write(`${lines.join('\n')}\n`);
      } finally {
        await connections.closers.closeAll();
      }
    });
}

const HEAD = [
  'batch',
  'done',
  'total',
  'queued',
  'running',
  'archiving',
  'archived',
  'failed',
  'held',
  'credits',
  'state',
];

function rowOf(counts: BatchCounts): string[] {
  const { items } = counts;
  const numbers = [
    doneOf(counts),
    counts.total,
    items.queued + items.submitting,
    items.submitted,
    items.finished,
    items.archived,
    items.failed,
    items.held,
    counts.credits,
  ];
  return [counts.batch, ...numbers.map(String), !counts.sealed ? 'enqueueing' : hasEnded(counts) ? 'ended' : 'running'];
}
