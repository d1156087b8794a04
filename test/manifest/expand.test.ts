import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { imageRequestSchema } from '../../src/items/item.ts';
import { expand, loadManifest, openManifest, validate } from '../../src/manifest/manifest.ts';
import { ManifestError } from '../../src/manifest/problems.ts';
import { collected, itemsOf, written } from './written.ts';

const head = 'version: 1\nbatch: b\njobs:\n';

describe('expanding', () => {
  it('fills in the model and the format, and says nothing else on its own', async () => {
    const [item] = await itemsOf({ 'jobs.yaml': `${head}  - id: a\n    prompt: A teapot\n` });
    expect(item).toMatchObject({ batch: 'b', name: 'a', variant: 1, priority: 0, variables: {} });
    expect(item?.request).toEqual({ prompt: 'A teapot', model: 'flux-kontext-pro', outputFormat: 'jpeg' });
  });

  it("lets a job's own values win over the defaults, false and 0 too", async () => {
    const defaults =
      'defaults: { prompt: A lamp, model: flux-kontext-max, uploadCn: true, safetyTolerance: 2, priority: 3, variants: 2 }\n';
    const text = `${defaults}${head}  - id: a\n  - id: b\n    uploadCn: false\n    safetyTolerance: 0\n    priority: 0\n    variants: 1\n`;
    const items = await itemsOf({ 'jobs.yaml': text });
    expect(
      items.map(({ name, variant, priority, request }) => [
        name,
        variant,
        priority,
        request.uploadCn,
        request.safetyTolerance,
      ]),
    ).toEqual([
      ['a', 1, 3, true, 2],
      ['a', 2, 3, true, 2],
      ['b', 1, 0, false, 0],
    ]);
    expect(items.every(({ request }) => request.model === 'flux-kontext-max' && request.prompt === 'A lamp')).toBe(
      true,
    );
  });

  it('goes through rows, then the matrix with its last variable fastest, then variants', async () => {
    const text = `${head}  - id: "{{ row }}{{ a }}{{ b }}"\n    prompt: A teapot\n    variants: 2\n    matrix: { a: [x, y], b: [1, 2] }\n    rows: r.csv\n`;
    const items = await itemsOf({ 'jobs.yaml': text, 'r.csv': 'row\np\nq\n' });
    expect(items.map(({ name, variant }) => `${name}.${variant}`).join(' ')).toBe(
      'px1.1 px1.2 px2.1 px2.2 py1.1 py1.2 py2.1 py2.2 qx1.1 qx1.2 qx2.1 qx2.2 qy1.1 qy1.2 qy2.1 qy2.2',
    );
    expect(items[0]?.variables).toEqual({ row: 'p', a: 'x', b: '1' });
  });

  it('makes numbers and truth values of templates where the API wants them', async () => {
    const text = `${head}  - id: "{{ n }}"\n    prompt: "{{ n }}"\n    safetyTolerance: "{{ n }}"\n    uploadCn: "{{ yes }}"\n    matrix: { n: [01], yes: [true] }\n`;
    const [item] = await itemsOf({ 'jobs.yaml': text });
    expect(item).toMatchObject({ name: '01', request: { prompt: '01', safetyTolerance: 1, uploadCn: true } });
  });

  it('trims the line end that a folded text brings along', async () => {
    const [item] = await itemsOf({
      'jobs.yaml': `${head}  - id: a\n    prompt: >\n      A teapot\n      by the sea\n`,
    });
    expect(item?.request.prompt).toBe('A teapot by the sea');
  });

  it('reads what spreadsheets write: byte order marks, CR LF, quotes, lines in a value', async () => {
    const text = `${head}  - id: "{{ sku }}"\n    prompt: A {{ what it is }}\n    rows: r.csv\n`;
    const rows = '\uFEFFsku, what it is \r\n1,"a ""red"", round\r\nteapot"\r\n\r\n2,Krügchen\r\n';
    const items = await itemsOf({ 'jobs.yaml': `\uFEFF${text}`, 'r.csv': rows });
    expect(items.map(({ request }) => request.prompt)).toEqual(['A a "red", round\nteapot', 'A Krügchen']);
  });

  it('finds rows beside the manifest, whatever the working directory, or by an absolute path', async () => {
    const folder = await written({ 'r.jsonl': '\uFEFF{"n": 1.5, "on": false}\r\n{"n": "ü", "on": true, "more": {}}' });
    const job = (id: string, rows: string) => ({ id: `${id}-{{ n }}-{{ on }}`, prompt: 'x', rows });
    const jobs = [job('beside', 'r.jsonl'), job('absolute', join(folder, 'r.jsonl'))];
    const other = await written({ 'jobs.yaml': '' });
    await writeFile(join(folder, 'jobs.yaml'), stringify({ version: 1, batch: 'b', jobs }));
    const { manifest } = await openManifest(join(other, '..', folder.split('/').at(-1) ?? '', 'jobs.yaml'));
    const names = (await collected(expand(manifest))).map(({ name }) => name);
    expect(names).toEqual(['beside-1.5-false', 'beside-ü-true', 'absolute-1.5-false', 'absolute-ü-true']);
  });

  it('is lazy: the first items come without the rest being made', async () => {
    const jobs = `${head}  - id: "{{ m }}"\n    prompt: x\n    rows: r.jsonl\n    matrix: { m: [ok, ""] }\n`;
    const folder = await written({ 'jobs.yaml': jobs, 'r.jsonl': '{ "n": 1 }\nnot a row\n' });
    const items = expand(await loadManifest(join(folder, 'jobs.yaml')))[Symbol.asyncIterator]();
    expect(await items.next()).toMatchObject({ done: false, value: { name: 'ok' } });
    await expect(items.next()).rejects.toThrow(ManifestError);
  });

  it('stops when it is told to', async () => {
    const folder = await written({
      'jobs.yaml': `${head}  - id: a\n    prompt: x\n    rows: r.csv\n`,
      'r.csv': 'a\n1\n2\n',
    });
    const manifest = await loadManifest(join(folder, 'jobs.yaml'));
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(validate(manifest, { signal })).rejects.toThrow('enough');
    await expect(collected(expand(manifest, { signal }))).rejects.toThrow('enough');
  });

  it('refuses rows that were changed after they had been checked', async () => {
    const folder = await written({
      'jobs.yaml': `${head}  - id: "{{ a }}"\n    prompt: x\n    rows: r.csv\n`,
      'r.csv': 'a\n1\n',
    });
    const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
    await writeFile(join(folder, 'r.csv'), 'b\n1\n');
    await expect(collected(expand(manifest))).rejects.toThrow(ManifestError);
  });
});

describe('whatever the manifest', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const values = fc.uniqueArray(word, { minLength: 1, maxLength: 4 });
  const anyJob = fc.record({
    matrix: fc.dictionary(fc.stringMatching(/^m[a-z]{1,4}$/), values, { maxKeys: 3, noNullPrototype: true }),
    // The second list of a zip is made of the first.
    zipped: fc.option(values, { nil: undefined }),
    isFirstExcluded: fc.boolean(),
    rows: fc.array(fc.tuple(word, word), { maxLength: 4 }),
    variants: fc.integer({ min: 1, max: 3 }),
  });
  const anyJobs = fc.array(anyJob, { minLength: 1, maxLength: 4 });

  it('there are as many items as the product says, all different, all right', async () => {
    await fc.assert(
      fc.asyncProperty(anyJobs, async (jobs) => {
        const items = await itemsOf(filesOf(jobs.map((job, index) => ({ ...job, index }))));
        const expected = jobs.reduce((sum, { matrix, zipped, isFirstExcluded, rows, variants }) => {
          const product = Object.values(matrix).reduce((count, list) => count * list.length, zipped?.length ?? 1);
          return sum + (isFirstExcluded && product > 1 ? product - 1 : product) * Math.max(1, rows.length) * variants;
        }, 0);
        expect(items).toHaveLength(expected);
        expect(new Set(items.map(({ id }) => id)).size).toBe(expected);
        for (const { request } of items) expect(imageRequestSchema.parse(request)).toEqual(request);
      }),
      { numRuns: 30 },
    );
  });

  it('ids do not change when jobs, rows and values change their places', async () => {
    await fc.assert(
      fc.asyncProperty(anyJobs, async (jobs) => {
        const numbered = jobs.map((job, index) => ({ ...job, index, isFirstExcluded: false }));
        const turned = numbered.toReversed().map(({ matrix, rows, zipped, ...job }) => ({
          ...job,
          zipped: zipped?.toReversed(),
          isFirstExcluded: false,
          rows: rows.map((row, n) => ({ row, n })).toReversed(),
          matrix: Object.fromEntries(
            Object.entries(matrix)
              .toReversed()
              .map(([name, list]) => [name, list.toReversed()]),
          ),
        }));
        const [before, after] = [await itemsOf(filesOf(numbered)), await itemsOf(filesOf(turned))];
        expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
      }),
      { numRuns: 15 },
    );
  });
});

type AnyRow = readonly string[] | { row: readonly string[]; n: number };
type AnyJob = {
  index: number;
  matrix: Record<string, string[]>;
  zipped: readonly string[] | undefined;
  isFirstExcluded: boolean;
  rows: readonly AnyRow[];
  variants: number;
};

/** Jobs as a manifest with a CSV each; `n` keeps rows apart that are equal otherwise. */
function filesOf(jobs: readonly AnyJob[]): Record<string, string> {
  const files: Record<string, string> = {};
  const list = jobs.map(({ index, matrix, zipped, isFirstExcluded, rows, variants }) => {
    const zip = zipped && { za: zipped, zb: zipped.map((value) => `${value}!`) };
    const lists = Object.entries({ ...matrix, ...zip });
    const isMany = lists.some(([, values]) => values.length > 1);
    const first = Object.fromEntries(lists.map(([name, values]) => [name, values[0]]));
    const names = [
      ...Object.keys(matrix).sort(),
      ...Object.keys(zip ?? {}),
      ...(rows.length > 0 ? ['n', 'p', 'q'] : []),
    ];
    const text = names.map((name) => `${name}={{ ${name} }}`).join(' ');
    if (rows.length > 0) {
      const lines = rows.map((row, n) => ('row' in row ? [row.n, ...row.row] : [n, ...row]).join(','));
      files[`${index}.csv`] = ['n,p,q', ...lines].join('\n');
    }
    return {
      id: `job-${index}`,
      prompt: `${index} ${text}`,
      matrix,
      variants,
      ...(zip ? { zip } : {}),
      ...(isFirstExcluded && isMany ? { exclude: [first] } : {}),
      ...(rows.length > 0 ? { rows: `${index}.csv` } : {}),
    };
  });
  return { ...files, 'jobs.yaml': stringify({ version: 1, batch: 'b', jobs: list }) };
}
