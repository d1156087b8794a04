import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { EVERYTHING, type Selection } from '../../src/manifest/selection.ts';
import { collect } from '../../src/results/collect.ts';
import { namedForPeople } from '../../src/results/file-names.ts';
import { listedItems } from '../../src/results/standings.ts';
import { newFolder } from '../results/folders.ts';
import { planAndMake } from './plan-and-make.ts';
import { openRig, type Rig } from './rig.ts';

/** More of them, to look harder: PLAN_IS_MADE_RUNS=200. */
const RUNS = Number(process.env.PLAN_IS_MADE_RUNS ?? 12);

/** Few words, so that names and prompts meet; some differ in form, in case or in script alone. */
const word = fc.constantFrom('Hero', 'hero', 'cat 1', 'cat-1', '東京', '大阪', 'Café', 'Cafe\u0301', 'a\r\nb', 'a\nb');
const words = fc.array(word, { minLength: 1, maxLength: 4 });
const distinct = fc.uniqueArray(fc.constantFrom('red', 'blue', 'jade', '3', 'true'), { minLength: 2, maxLength: 3 });
const told = fc.constantFrom({}, { enableTranslation: true }, { enableTranslation: false }, { aspectRatio: '16:9' });

const job = fc.oneof(
  fc.record({ kind: fc.constant('plain' as const), prompt: word, variants: fc.integer({ min: 1, max: 2 }), told }),
  fc.record({ kind: fc.constant('matrix' as const), values: distinct, inName: fc.boolean(), told }),
  fc.record({ kind: fc.constant('zip' as const), values: distinct, told }),
  fc.record({ kind: fc.constant('rows' as const), names: words, prompts: words, told }),
  fc.record({ kind: fc.constant('prompts' as const), lines: words, told }),
);
type Job = typeof job extends fc.Arbitrary<infer T> ? T : never;

const edit = fc.constantFrom('none', 'state a default', 'edit defaults', 'rename', 'take out', 'add', 'turn round');
const part = fc.constantFrom<Selection>(EVERYTHING, { ...EVERYTHING, limit: 3 }, { ...EVERYTHING, only: ['j0*'] });
const scenario = fc.record({
  jobs: fc.array(job, { minLength: 1, maxLength: 4 }),
  included: fc.array(job, { maxLength: 1 }),
  first: part,
  edit,
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Writes a job's files, and returns the job as a manifest has it. JSON is YAML too. */
async function written(folder: string, id: string, generated: Job): Promise<object> {
  const put = (name: string, text: string) => writeFile(join(folder, name), text);
  switch (generated.kind) {
    case 'plain':
      return { id, prompt: generated.prompt, variants: generated.variants, ...generated.told };
    case 'matrix': {
      const name = generated.inName ? `${id} {{ v }}` : id;
      return { id: name, prompt: 'A {{ v }} teapot', matrix: { v: generated.values }, ...generated.told };
    }
    case 'zip': {
      const zip = { v: generated.values, w: generated.values.map((value) => `${value} too`) };
      return { id: `${id} {{ v }}`, prompt: 'A teapot of {{ w }}', zip, ...generated.told };
    }
    case 'rows': {
      const { names, prompts } = generated;
      const rows = names.map((name, index) => `${quoted(name)},${quoted(prompts[index % prompts.length] ?? '')}`);
      await put(`${id}.csv`, `name,text\r\n${rows.join('\r\n')}\r\n`);
      return { id: `${id} {{ name }}`, prompt: 'A {{ text }}', rows: `${id}.csv`, ...generated.told };
    }
    default:
      await put(`${id}.txt`, generated.lines.map((line) => line.replace(/\s+/g, ' ')).join('\n'));
      return { id: `${id} {{ words }}`, prompts: `${id}.txt`, ...generated.told };
  }
}

type Written = { defaults: object; jobs: object[] };

function edited({ defaults, jobs }: Written, how: Scenario['edit'], added: object): Written {
  switch (how) {
    case 'state a default':
      return { defaults: { ...defaults, promptUpsampling: false }, jobs };
    case 'edit defaults':
      return { defaults: { ...defaults, aspectRatio: '1:1' }, jobs };
    case 'rename':
      return { defaults, jobs: jobs.map((one, index) => (index === 0 ? renamed(one) : one)) };
    case 'take out':
      return { defaults, jobs: [added, ...jobs.slice(1)] };
    case 'add':
      return { defaults, jobs: [...jobs, added] };
    case 'turn round':
      return { defaults, jobs: [...jobs].reverse() };
    default:
      return { defaults, jobs };
  }
}

const renamed = (one: object) => ({ ...one, ...('id' in one ? { id: `new ${String(one.id)}` } : {}) });

/** Brings the batch's current pictures into a folder; returns what is there by sha256. */
async function bringFlat({ connections }: Rig, batch: string, folder: string): Promise<Set<string>> {
  const names: string[] = [];
  const nameOf = namedForPeople();
  const listed = listedItems(batch, connections, 'manifest');
  const current = (async function* () {
    for await (const item of listed) if (item.standing?.current) yield item;
  })();
  const collected = collect(current, connections.archive, folderArchive(folder), {
    nameOf(record) {
      const name = nameOf(record);
      names.push(name.normalize('NFC').toLowerCase());
      return name;
    },
    keepsOthers: true,
    width: 4,
    signal: new AbortController().signal,
    onImage: ({ kind, message }) => expect(kind, message).not.toBe('lost'),
  });
  for await (const _ of collected);
  expect(new Set(names).size).toBe(names.length);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jpg'));
  const bodies = await Promise.all(files.map((name) => readFile(join(folder, name))));
  return new Set(bodies.map((body) => createHash('sha256').update(body).digest('hex')));
}

test('whatever a manifest says, and however it is edited: what is planned is made, names are unique, no picture is overwritten', async () => {
  const rig = await openRig();
  await rig.work();
  const root = await newFolder();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ jobs, included, first, edit: how }) => {
      const batch = `b${++runs}`;
      const folder = join(root, batch);
      await mkdir(folder);
      const all = await Promise.all(jobs.map((one, index) => written(folder, `j${index}`, one)));
      const others = await Promise.all(included.map((one) => written(folder, 'inc', one)));
      const added = await written(folder, 'added', { kind: 'plain', prompt: 'Hero', variants: 1, told: {} });
      const include = others.length > 0 ? { include: ['other.yaml'] } : {};
      await writeFile(join(folder, 'other.yaml'), JSON.stringify({ version: 1, jobs: others }));
      const file = join(folder, 'jobs.yaml');
      const save = (written: Written) => writeFile(file, JSON.stringify({ version: 1, batch, ...include, ...written }));

      await save({ defaults: {}, jobs: all });
      await planAndMake(rig, file, first);
      const before = await bringFlat(rig, batch, folder);
      await save(edited({ defaults: {}, jobs: all }, how, added));
      await planAndMake(rig, file, EVERYTHING);
      const after = await bringFlat(rig, batch, folder);
      for (const sha256 of before) expect(after).toContain(sha256);
      // And then there is nothing left to make.
      await planAndMake(rig, file, EVERYTHING);
    }),
    { numRuns: RUNS },
  );
});
