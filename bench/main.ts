import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../src/version.ts';
import { benchAgainst } from './against.ts';
import type { Bench, Row } from './bench.ts';
import { BENCHES } from './benches.ts';
import { machine, timed } from './measure.ts';

const RESULTS = new URL('bench/results.json', PACKAGE_ROOT);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    against: { type: 'string' },
  },
});
if (values.against !== undefined) {
  await benchAgainst(values.against, positionals, values.quick);
  process.exit();
}
const chosen = choose(positionals);
const all: Row[] = [];
const isWaiting = ({ waits }: Bench) => waits === 'always' || (values.quick && waits === 'when quick');
const waiting = chosen.filter(isWaiting);
for (const { bench, ms, result } of await Promise.all(waiting.map(measure))) await tell(bench, ms, result);
for (const bench of chosen.filter((bench) => !isWaiting(bench))) {
  const { ms, result } = await measure(bench);
  await tell(bench, ms, result);
}
console.log(`\n${all.filter((row) => row.met).length} of ${all.length} targets met`);

async function measure(bench: Bench) {
  console.error(`${bench.name} …`);
  return { bench, ...(await timed(() => bench.run({ quick: values.quick }))) };
}

async function tell(bench: Bench, ms: number, result: Awaited<ReturnType<Bench['run']>>): Promise<void> {
  all.push(...result.rows);
  for (const row of result.rows) console.log(lineOf(row));
  if (!values.quick || values.keep) await record(bench, { ...result, tookMs: Math.round(ms) });
}

function choose(names: readonly string[]): readonly Bench[] {
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`No such benchmark: ${unknown.join(', ')}. Known: ${BENCHES.map(({ name }) => name).join(', ')}`);
    process.exit(2);
  }
  return names.length === 0
    ? BENCHES.filter(({ apart }) => apart !== true)
    : BENCHES.filter(({ name }) => names.includes(name));
}

function lineOf({ what, target, measured, met }: Row): string {
  return `${met ? 'met  ' : 'unmet'}  ${what.padEnd(58)}  ${target.padEnd(24)}  ${measured}`;
}

/** Each benchmark's last full run; those that were not run now keep what they had. */
async function record(bench: Bench, result: unknown): Promise<void> {
  const former: unknown = JSON.parse(await readFile(RESULTS, 'utf8').catch(() => '{}'));
  const entry = { at: new Date().toISOString(), machine: machine(), ...(result as object) };
  const results = { ...(former as object), [bench.name]: entry };
  await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}
