import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli.ts';
import { startFleet } from '../../workers/fleet.ts';
import { PROJECT } from './reader.ts';

const PAGE = 'docs/commands.md';
/** Its help lists some forty flags, and its faults. */
const LISTED_BY_HELP = 'simulate';

const flagsIn = (text: string) => [...text.matchAll(/`(--[a-z-]+)`/g)].map(([, flag = '']) => flag);

async function pageOf() {
  const page = await readFile(join(PROJECT, PAGE), 'utf8');
  const [own = '', shared = ''] = page.split('## Flags of many commands');
  return { rows: own.split('\n').filter((line) => line.startsWith('| `')), shared: flagsIn(shared) };
}

const shownFlags = async (name: string) => {
  const command = await COMMANDS[name]?.load(async () => startFleet);
  return (command?.options ?? []).filter(({ hidden }) => !hidden).map(({ long }) => long ?? '');
};

const rowOf = (rows: readonly string[], name: string) =>
  rows.find((row) => new RegExp(`\`${name}[ \`]`).test(row.split(' | ')[0] ?? '')) ?? '';

test.for(Object.keys(COMMANDS))('docs/commands.md has the command %s with its flags, and no others', async (name) => {
  const { rows, shared } = await pageOf();
  const row = rowOf(rows, name);
  expect(row).not.toBe('');
  if (name === LISTED_BY_HELP) return;
  const own = (await shownFlags(name)).filter((flag) => flag === '--json' || !shared.includes(flag));
  expect(flagsIn(row.split(' | ')[2] ?? '').sort()).toEqual(own.sort());
});

test('each command of docs/commands.md exists, and so does each flag that several share', async () => {
  const { rows, shared } = await pageOf();
  const named = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([a-z]+)/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(Object.keys(COMMANDS).sort());
  const flags = new Set((await Promise.all(Object.keys(COMMANDS).map(shownFlags))).flat());
  // Commander and the command line itself add these to every command.
  const everywhere = ['--debug', '--help'];
  expect(shared.filter((flag) => !flags.has(flag) && !everywhere.includes(flag))).toEqual([]);
});
