import { describe, expect, it } from 'vitest';
import { type Files, mistakesOf } from '../manifest/written.ts';

const head = 'version: 1\nbatch: b\njobs:\n';

describe('a mistake in the rows', () => {
  const csv = `${head}  - id: "{{ sku }}"\n    prompt: A {{ color }} teapot\n    rows: r.csv\n`;
  const jsonl = csv.replace('r.csv', 'r.jsonl');
  const table: [name: string, files: Files, ...lines: string[]][] = [
    [
      'an empty CSV',
      { 'jobs.yaml': csv, 'r.csv': '' },
      'r.csv:1  jobs[0].rows: expected a header with the names of the columns',
    ],
    [
      'a CSV with a header only',
      { 'jobs.yaml': csv, 'r.csv': 'sku,color\n' },
      'jobs.yaml:6:11  jobs[0].rows: r.csv: has no rows',
    ],
    [
      'a header with a hole and a repetition',
      { 'jobs.yaml': csv, 'r.csv': 'sku,,color,sku\n1,2,3,4\n' },
      'r.csv:1  jobs[0].rows: column 4 of the header is "sku" again',
    ],
    [
      'values below a hole in the header',
      { 'jobs.yaml': csv, 'r.csv': 'sku,,color\n1,,red\n2,x,blue\n' },
      'r.csv:3  jobs[0].rows: column 2 has no name in the header, and "x" here; name the column, or empty it',
    ],
    [
      'errors of a spreadsheet, where they would be drawn',
      { 'jobs.yaml': csv, 'r.csv': 'sku,color,price\n1,#N/A,#REF!\n#DIV/0!,blue,2\n3,jade #1,Err:502\n' },
      'r.csv:2  jobs[0].prompt: "color" is #N/A in this row, an error of the spreadsheet',
      'r.csv:3  jobs[0].id: "sku" is #DIV/0! in this row, an error of the spreadsheet',
    ],
    [
      'columns that no header has',
      { 'jobs.yaml': csv, 'r.csv': 'SKU,name\n1,red\n' },
      'jobs.yaml:4:9  jobs[0].id: no variable "sku"; did you mean SKU?',
      'jobs.yaml:5:13  jobs[0].prompt: no variable "color"; known here: SKU, name',
    ],
    [
      'a value with a comma, after a row of several lines',
      { 'jobs.yaml': csv, 'r.csv': 'sku,color\r\n1,"red\r\nish"\r\n\r\n2,deep, dark red\r\n' },
      'r.csv:5  jobs[0].rows: expected 2 values, as the header has columns, got 3; a value with a comma needs quotes',
    ],
    [
      'a quote in the middle',
      { 'jobs.yaml': csv, 'r.csv': 'sku,color\n1,red\n2,"red" ish\n' },
      'r.csv:3  jobs[0].rows: there is text after a closing quote; quote the whole value and double the quotes in it',
    ],
    [
      'a quote that is never closed, after blank lines and CR LF in quotes',
      { 'jobs.yaml': csv, 'r.csv': 'sku,color\r\n1,"a\r\nb\r\nc"\r\n2,red\r\n3,"blue\r\n4,jade\r\n' },
      'r.csv:6  jobs[0].rows: a quote is opened and never closed; quote the whole value and double the quotes in it',
    ],
    [
      'a row without end',
      { 'jobs.yaml': csv, 'r.csv': `sku,color\n1,${'x'.repeat(1_100_000)}\n` },
      'r.csv:2  jobs[0].rows: expected a row of at most 1000000 characters',
    ],
    [
      'bytes that are not UTF-8',
      { 'jobs.yaml': csv, 'r.csv': Buffer.concat([Buffer.from('sku,color\n1,red\n2,'), Buffer.from([0xff, 0x0a])]) },
      'r.csv:3  jobs[0].rows: is not UTF-8 text; save it as UTF-8',
    ],
    [
      'a column that is in the matrix too',
      { 'jobs.yaml': `${csv}    matrix: { color: [red] }\n`, 'r.csv': 'sku,color\n1,red\n' },
      'jobs.yaml:7:15  jobs[0].matrix.color: is a column of r.csv too',
    ],
    ['an empty JSONL', { 'jobs.yaml': jsonl, 'r.jsonl': '\n' }, 'jobs.yaml:6:11  jobs[0].rows: r.jsonl: has no rows'],
    [
      'a JSONL that is not there',
      { 'jobs.yaml': jsonl },
      'jobs.yaml:6:11  jobs[0].rows: r.jsonl: there is no such file',
    ],
    [
      'lines of JSONL that are no rows',
      {
        'jobs.yaml': jsonl,
        'r.jsonl': '{"sku":1,"color":"red"}\n\n[1]\n{"sku":12345678901234567890}\n{"sku":2,"color":null}\n',
      },
      'r.jsonl:3  jobs[0].rows: expected a JSON object, got a list',
      'r.jsonl:4  jobs[0].rows: "sku" is too long a number to be kept exactly; quote it',
      'r.jsonl:5  jobs[0].prompt: no value for "color" in this row',
    ],
    [
      'a line of JSONL without end',
      { 'jobs.yaml': jsonl, 'r.jsonl': `{"sku":1,"color":"red"}\n{"sku":"${'x'.repeat(3_000_000)}"}\n` },
      'r.jsonl:2  jobs[0].rows: expected a row of at most 1000000 characters',
    ],
    [
      'a key of JSONL that is in the matrix too',
      { 'jobs.yaml': `${jsonl}    matrix: { size: [small] }\n`, 'r.jsonl': '{"sku":1,"color":"red","size":"tall"}\n' },
      'r.jsonl:1  jobs[0].rows: "size" is in the matrix too',
    ],
  ];

  it.each(table)('%s is told with its line', async (_, files, ...lines) => {
    expect(await mistakesOf(files)).toEqual(lines);
  });

  it('is told fifty times, and counted beyond', async () => {
    const rows = Array.from({ length: 120 }, () => '{"sku":1}').join('\n');
    const lines = await mistakesOf({ 'jobs.yaml': jsonl, 'r.jsonl': rows });
    expect(lines).toHaveLength(51);
    expect(lines.at(-2)).toBe('r.jsonl:50  jobs[0].prompt: no value for "color" in this row');
    expect(lines.at(-1)).toBe('… and 70 more');
  });

  it('of editing is seen once the templates are filled in', async () => {
    const text = `${head}  - id: "{{ sku }}"\n    prompt: A teapot\n    inputImage: "{{ photo }}"\n    safetyTolerance: "{{ n }}"\n    rows: r.csv\n`;
    const rows = 'sku,photo,n\n1,https://example.com/1.jpg,2\n2,https://example.com/2.jpg,3\n3,,1\n';
    expect(await mistakesOf({ 'jobs.yaml': text, 'r.csv': rows })).toEqual([
      'r.csv:3  jobs[0].safetyTolerance: expected 0 to 2 when editing (inputImage is given), got 3',
      'r.csv:4  jobs[0].inputImage: expected an http(s) URL that the provider can reach, or the path of a .jpg, .png or .webp file, got ""',
    ]);
  });
});
