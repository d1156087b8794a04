import { describe, expect, it } from 'vitest';
import { mistakesOf } from './written.ts';

const head = 'version: 1\nbatch: b\njobs:\n';
const job = '  - id: a\n    prompt: A teapot\n';

describe('a mistake in the file', () => {
  const table: [name: string, text: string, ...lines: string[]][] = [
    ['an empty file', '', 'jobs.yaml:1:1  expected a map, got nothing'],
    ['a list', '- a\n', 'jobs.yaml:1:1  expected a map, got a list'],
    [
      'everything missing',
      'defaults: {}\n',
      'jobs.yaml:1:1  version: is required; write version: 1',
      'jobs.yaml:1:1  batch: is required; a name for all of it, such as spring-catalog',
      'jobs.yaml:1:1  jobs: is required; a list of what to draw',
    ],
    [
      'a wrong version, batch and jobs',
      'version: 2\nbatch: Spring\njobs: []\n',
      'jobs.yaml:1:10  version: expected 1, got 2',
      'jobs.yaml:2:8  batch: expected at most 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first (it begins the keys of the images), got "Spring"',
      'jobs.yaml:3:7  jobs: expected at least one entry, got an empty list',
    ],
    [
      'a batch that YAML takes for a number',
      `version: 1\nbatch: 2025\njobs:\n${job}`,
      'jobs.yaml:2:8  batch: expected text, got 2025; put quotes around it: "2025"',
    ],
    [
      'unknown keys',
      `verson: 1\n${head}${job}    aspect_ratio: "4:3"\n    callBackUrl: https://example.com\n    zebra: 1\n`,
      'jobs.yaml:1:1  verson: unknown key; did you mean version?',
      'jobs.yaml:7:5  jobs[0].aspect_ratio: unknown key; did you mean aspectRatio?',
      'jobs.yaml:8:5  jobs[0].callBackUrl: unknown key; callbacks belong to the deployment: set FLUX_CALLBACK_URL',
      'jobs.yaml:9:5  jobs[0].zebra: unknown key; known here: id, was, provider, prompt, model, outputFormat, aspectRatio, inputImage, enableTranslation, promptUpsampling, safetyTolerance, uploadCn, watermark, variants, priority, embed, matrix, zip, exclude, rows, inputs, prompts',
    ],
    [
      'wrong values',
      `${head}${job}    aspectRatio: "5:4"\n    outputFormat: webp\n    enableTranslation: "no"\n    safetyTolerance: 7\n    variants: 0\n    priority: 1.5\n    inputImage: ./room.gif\n    watermark:\n`,
      'jobs.yaml:6:18  jobs[0].aspectRatio: expected one of 21:9, 16:9, 4:3, 1:1, 3:4, 9:16, 16:21, got "5:4"',
      'jobs.yaml:7:19  jobs[0].outputFormat: expected one of jpeg, png, got "webp"',
      'jobs.yaml:8:24  jobs[0].enableTranslation: expected true or false, got "no"',
      'jobs.yaml:9:22  jobs[0].safetyTolerance: expected at most 6, got 7',
      'jobs.yaml:10:15  jobs[0].variants: expected 1 or more, got 0',
      'jobs.yaml:11:15  jobs[0].priority: expected a whole number, got 1.5',
      'jobs.yaml:12:17  jobs[0].inputImage: expected an http(s) URL that the provider can reach, or the path of a .jpg, .png or .webp file (convert it to JPEG, PNG or WebP: no other format is taken by every API), got "./room.gif"',
      'jobs.yaml:13:15  jobs[0].watermark: expected text, got nothing',
    ],
    ['a job that is no map', `${head}${job}  - A teapot\n`, 'jobs.yaml:6:5  jobs[1]: expected a map, got "A teapot"'],
    [
      'a job without id and prompt',
      `${head}  - model: flux-kontext-max\n`,
      'jobs.yaml:4:5  jobs[0].id: is required; a name for its images, such as hero',
      'jobs.yaml:4:5  jobs[0].prompt: is required; a text that says what to draw',
    ],
    [
      'a blank prompt',
      `${head}  - id: a\n    prompt: "  "\n`,
      'jobs.yaml:5:13  jobs[0].prompt: expected text that is not empty, got ""',
    ],
    [
      'a prompt without end',
      `${head}  - id: a\n    prompt: ${'long '.repeat(2_001)}\n`,
      `jobs.yaml:5:13  jobs[0].prompt: expected at most 10000 characters, got "${'long '.repeat(12).slice(0, 57)}…"`,
    ],
    ['an id twice', `${head}${job}${job}`, 'jobs.yaml:6:9  jobs[1].id: "a" is the id of jobs[0] too; ids must differ'],
    ['a key twice', `${head}${job}    prompt: A lamp\n`, 'jobs.yaml:6:5  jobs[0].prompt: given twice, first on line 5'],
    [
      'too high a tolerance for an edit, its own and inherited',
      `version: 1\nbatch: b\ndefaults: { safetyTolerance: 5 }\njobs:\n${job}    inputImage: https://example.com/a.jpg\n  - id: b\n    prompt: A lamp\n    inputImage: https://example.com/a.jpg\n    safetyTolerance: 3\n`,
      'jobs.yaml:5:5  jobs[0].safetyTolerance: expected 0 to 2 when editing (inputImage is given), got 5; it comes from defaults: give this job one of its own',
      'jobs.yaml:11:22  jobs[1].safetyTolerance: expected 0 to 2 when editing (inputImage is given), got 3',
    ],
    [
      'variables that are not there',
      `${head}  - id: a-{{ colour }}\n    prompt: A {{ size }} teapot in {color}\n    matrix: { color: [red] }\n  - id: b\n    prompt: A {{ x }}\n`,
      'jobs.yaml:4:9  jobs[0].id: no variable "colour"; did you mean color?',
      'jobs.yaml:5:13  jobs[0].prompt: no variable "size"; known here: color',
      'jobs.yaml:5:13  jobs[0].prompt: {color} in single braces would be drawn as it stands; write {{ color }}',
      'jobs.yaml:8:13  jobs[1].prompt: no variable "x"; this job has neither matrix nor rows',
    ],
    [
      'malformed templates, also in the defaults',
      `version: 1\nbatch: b\ndefaults: { watermark: "{{ w" }\njobs:\n  - id: a-{{ }}\n    prompt: A {{ teapot\n`,
      'jobs.yaml:3:24  defaults.watermark: "{{" is never closed by "}}" in "{{ w"; write {{{{ for a literal "{{"',
      'jobs.yaml:5:9  jobs[0].id: no variable between "{{" and "}}" in "{{ }}"; write {{{{ for a literal "{{"',
      'jobs.yaml:6:13  jobs[0].prompt: "{{" is never closed by "}}" in "{{ teapot"; write {{{{ for a literal "{{"',
    ],
    [
      'a matrix with nothing in it, or no list',
      `${head}${job}    matrix: { a: [], b: [red, ~], d: red }\n`,
      'jobs.yaml:6:18  jobs[0].matrix.a: expected at least one entry, got an empty list',
      'jobs.yaml:6:31  jobs[0].matrix.b[1]: expected text, got nothing',
      'jobs.yaml:6:38  jobs[0].matrix.d: expected a list, got "red"',
    ],
    [
      'a matrix that repeats itself, and odd names',
      `${head}${job}    matrix: { c: [x, y, x], "{e}": [1] }\n`,
      'jobs.yaml:6:25  jobs[0].matrix.c[2]: "x" is in the list twice',
      'jobs.yaml:6:29  jobs[0].matrix["{e}"]: expected a name without braces around it or in it',
    ],
    [
      'a zip of unequal lists, and of names that there are',
      `${head}${job}    matrix: { c: [x, y] }\n    zip: { c: [1, 2], d: [1, 2, 3] }\n`,
      'jobs.yaml:7:12  jobs[0].zip.c: is in the matrix too',
      'jobs.yaml:7:26  jobs[0].zip.d: expected lists of one length, got 2 of c and 3 of d',
    ],
    [
      'a zip that repeats a step',
      `${head}${job}    zip: { a: [1, 2, 1], b: [x, y, x] }\n`,
      'jobs.yaml:6:10  jobs[0].zip: has the same step twice',
    ],
    [
      'exclusions of what is not there',
      `${head}${job}    matrix: { color: [red, blue] }\n    zip: { a: [1, 2], b: [x, y] }\n    exclude:\n      - { colour: red }\n      - { color: redd }\n      - { a: 1, b: y }\n`,
      'jobs.yaml:9:11  jobs[0].exclude[0].colour: no such variable in matrix or zip; did you mean color?',
      'jobs.yaml:10:18  jobs[0].exclude[1].color: "redd" is not in the list; did you mean red?',
      'jobs.yaml:11:9  jobs[0].exclude[2]: matches no step of the zip',
    ],
    [
      'exclusions of everything',
      `${head}${job}    matrix: { color: [red, blue] }\n    exclude: [{ color: red }, { color: blue }]\n`,
      'jobs.yaml:7:14  jobs[0].exclude: leaves no combination',
    ],
    [
      'prompts beside rows',
      `${head}  - { prompts: p.txt, rows: r.csv }\n`,
      'jobs.yaml:4:16  jobs[0].prompts: p.txt: there is no such file',
      'jobs.yaml:4:23  jobs[0].rows: not together with prompts',
    ],
    [
      'prompts that nothing draws',
      `${head}${job}    prompts: p.txt\n`,
      'jobs.yaml:6:14  jobs[0].prompts: nothing in this job uses {{ prompt }}: each line would draw the same; leave out the prompt, or put {{ prompt }} into it',
      'jobs.yaml:6:14  jobs[0].prompts: p.txt: there is no such file',
    ],
    [
      'a product beyond all means',
      `${head}${job}    matrix: { ${['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `${name}: [1, 2, 3, 4, 5, 6, 7, 8]`).join(', ')} }\n`,
      'jobs.yaml:6:13  jobs[0].matrix: expected at most 10000000 images, got 16777216',
    ],
    [
      'a value that templates gave, told once for all combinations',
      `${head}  - id: a-{{ n }}\n    prompt: A teapot\n    aspectRatio: "{{ ratio }}"\n    safetyTolerance: "{{ n }}"\n    matrix: { n: [1, 9, x], ratio: ["4:3", "5:4"] }\n`,
      'jobs.yaml:6:18  jobs[0].aspectRatio: expected one of 21:9, 16:9, 4:3, 1:1, 3:4, 9:16, 16:21, got "5:4"',
      'jobs.yaml:7:22  jobs[0].safetyTolerance: expected at most 6, got 9',
      'jobs.yaml:7:22  jobs[0].safetyTolerance: expected a number, got "x"',
    ],
    [
      'anchors, aliases and tags',
      `${head}  - id: &a a\n    prompt: *a\n  - id: !!str b\n    prompt: !drawn A lamp\n`,
      'jobs.yaml:4:12  jobs[0].id: anchors are not allowed, got &a; use defaults instead',
      'jobs.yaml:5:13  jobs[0].prompt: aliases are not allowed, got *a; write the value out',
      'jobs.yaml:6:15  jobs[1].id: tags are not allowed, got "tag:yaml.org,2002:str"; quote what should be text',
      'jobs.yaml:7:20  jobs[1].prompt: tags are not allowed, got "!drawn"; quote what should be text',
    ],
    ['two documents', `${head}${job}---\na: 1\n`, 'jobs.yaml:6:1  expected one document, got another after "---"'],
    [
      'a template without quotes',
      `${head}  - id: a\n    prompt: {{ color }} teapot\n`,
      'jobs.yaml:5:14  expected text as a key; a value that begins with "{{", or stands in a { … } map, needs quotes',
    ],
    [
      'a colon in text',
      `${head}  - id: a\n    prompt: Product photograph: a lamp\n`,
      'jobs.yaml:5:13  Nested mappings are not allowed in compact mappings; text with ": " in it needs quotes',
    ],
    [
      'rows of an unknown kind',
      `${head}${job}    rows: a.ods\n`,
      'jobs.yaml:6:11  jobs[0].rows: expected the path of a .csv, .tsv, .xlsx, .json, .jsonl or .ndjson file, got "a.ods"',
    ],
    [
      'rows that are not there',
      `${head}${job}    rows: a.csv\n`,
      'jobs.yaml:6:11  jobs[0].rows: a.csv: there is no such file',
    ],
  ];

  it.each(table)('%s is told with its place', async (_, text, ...lines) => {
    expect(await mistakesOf({ 'jobs.yaml': text })).toEqual(lines);
  });

  it('of one job does not hide those of the others, nor those of rows', async () => {
    const text = `${head}  - id: a\n    prompt: 5\n  - id: b\n    promt: x\n  - id: "{{ sku }}"\n    prompt: "{{ text }}"\n    rows: r.csv\n`;
    expect(await mistakesOf({ 'jobs.yaml': text, 'r.csv': 'sku,text\n1,\n,a\n2\n' })).toEqual([
      'jobs.yaml:5:13  jobs[0].prompt: expected text, got 5; put quotes around it: "5"',
      'jobs.yaml:6:5  jobs[1].prompt: is required; a text that says what to draw',
      'jobs.yaml:7:5  jobs[1].promt: unknown key; did you mean prompt?',
      'r.csv:2  jobs[2].prompt: expected text that is not empty, got ""',
      'r.csv:3  jobs[2].id: expected text that is not empty, got ""',
      'r.csv:4  jobs[2].rows: expected 2 values, as the header has columns, got 1',
    ]);
  });

  it('that is in the bytes is told with its line', async () => {
    const bytes = Buffer.concat([Buffer.from('version: 1\nbatch: "'), Buffer.from([0xe9]), Buffer.from('"\n')]);
    expect(await mistakesOf({ 'jobs.yaml': bytes })).toEqual(['jobs.yaml:2  is not UTF-8 text; save it as UTF-8']);
  });

  it('that comes a hundred thousand times is told two hundred times', async () => {
    const lines = await mistakesOf({ 'jobs.yaml': 'a: 1\n'.repeat(100_000) });
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toBe('… and 99803 more');
  });

  it('of size is told before reading', async () => {
    expect(await mistakesOf({ 'jobs.yaml': ' '.repeat(5 * 2 ** 20) })).toEqual([
      'jobs.yaml  expected at most 4 MB, got 5.0 MB',
    ]);
  });

  it('is that there is no file', async () => {
    expect(await mistakesOf({})).toEqual(['jobs.yaml  there is no such file']);
  });
});
