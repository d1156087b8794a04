import { expect, it } from 'vitest';
import { itemsOf, mistakesOf } from './written.ts';

const head = 'version: 1\nbatch: b\njobs:\n';
const job = '  - id: a\n    prompt: A teapot\n';

it.each<[name: string, text: string, ...lines: string[]]>([
  [
    'a comment behind what is drawn, which was meant to be drawn',
    `${head}  - id: mug #1 # the first\n    prompt: A cat #1 on a mat\n    watermark: say "hi" #2\n    matrix: { size: [big] }\n    zip:\n      a:\n        - red #3\n        - blue # a comment\n`,
    'jobs.yaml:4:9  jobs[0].id: "#1 # the first" behind it is a comment to YAML; write "mug #1 # the first" if it belongs to it; a comment stands on a line of its own',
    'jobs.yaml:5:13  jobs[0].prompt: "#1 on a mat" behind it is a comment to YAML; write "A cat #1 on a mat" if it belongs to it; a comment stands on a line of its own',
    `jobs.yaml:6:16  jobs[0].watermark: "#2" behind it is a comment to YAML; write 'say "hi" #2' if it belongs to it; a comment stands on a line of its own`,
    'jobs.yaml:10:11  jobs[0].zip.a[0]: "#3" behind it is a comment to YAML; write "red #3" if it belongs to it; a comment stands on a line of its own',
  ],
  [
    'numbers where text belongs, quoted as they are written',
    `version: 1\nbatch: 0x1F\njobs:\n  - id: 007\n    prompt: 1.50\n    watermark: True\n`,
    'jobs.yaml:2:8  batch: expected text, got 0x1F; put quotes around it: "0x1F"',
    'jobs.yaml:4:9  jobs[0].id: expected text, got 007; put quotes around it: "007"',
    'jobs.yaml:5:13  jobs[0].prompt: expected text, got 1.50; put quotes around it: "1.50"',
    'jobs.yaml:6:16  jobs[0].watermark: expected text, got True; put quotes around it: "True"',
  ],
  [
    'characters that nobody sees, written out and as escapes',
    `${head}  - id: a\n    prompt: "A \\u202E cat"\n  - id: "b-{{ c }}"\n    prompt: x\n    matrix: { c: ["\\e[31m"] }\n`,
    'jobs.yaml:5:13  jobs[0].prompt: expected text without control characters, U+202E (it turns the direction of text) is in it, got "A \u202e cat"',
    'jobs.yaml:6:9  jobs[1].id: expected text without control characters, U+001B (escape) is in it, got "b-\\u001b[31m"',
  ],
  [
    'a control character in the file itself',
    `${head}  - id: a\n    prompt: A \u0000 cat\n`,
    'jobs.yaml:5:15  expected text without control characters, got U+0000 (NUL); remove it',
  ],
  [
    'lists where they do not belong, and keys of other tools',
    `${head}${job}    model: [flux-kontext-pro, flux-kontext-max]\n    aspectRatio: ["1:1"]\n    seed: 7\n    n: 4\n    negative_prompt: blurry\n    width: 512\n`,
    'jobs.yaml:6:12  jobs[0].model: expected one of flux-kontext-pro, flux-kontext-max, got a list; for an image of each, write model: "{{ model }}" and matrix: { model: [ … ] }',
    'jobs.yaml:7:18  jobs[0].aspectRatio: expected one of 21:9, 16:9, 4:3, 1:1, 3:4, 9:16, 16:21, got a list; for an image of each, write aspectRatio: "{{ aspectRatio }}" and matrix: { aspectRatio: [ … ] }',
    'jobs.yaml:8:5  jobs[0].seed: unknown key; this API takes no seed; variants: 4 makes four different images of the same prompt',
    'jobs.yaml:9:5  jobs[0].n: unknown key; write variants: 4 for four images',
    'jobs.yaml:10:5  jobs[0].negative_prompt: unknown key; this API takes none; say in the prompt what is to be there instead',
    'jobs.yaml:11:5  jobs[0].width: unknown key; sizes follow from aspectRatio, such as "4:3"',
  ],
  [
    'a variable of more text than anything may have',
    `${head}  - id: a\n    prompt: ${'"'}${'{{ a }}'.repeat(1_400)}"\n    watermark: "{{ a }}"\n    matrix: { a: [${'x'.repeat(3_000_000)}] }\n`,
    `jobs.yaml:5:13  jobs[0].prompt: expected at most 10000 characters, got "${'x'.repeat(57)}…"`,
    `jobs.yaml:6:16  jobs[0].watermark: expected at most 10000 characters, got "${'x'.repeat(57)}…"`,
  ],
])('%s: told with its place, and with what to write', async (_, text, ...lines) => {
  expect(await mistakesOf({ 'jobs.yaml': text })).toEqual(lines);
});

it.each<[string, (text: string) => string | Buffer]>([
  ['in UTF-16', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['in UTF-16 without a mark', (text) => Buffer.from(text, 'utf16le').swap16()],
  ['with the line ends of old Macs', (text) => text.replaceAll('\n', '\r')],
])('a manifest %s is read', async (_, written) => {
  const text = `${head}  - id: "caf\u00e9"\n    prompt: A cat # 1\n    rows: { file: r.csv, where: { id: 7 } } # a comment\n`;
  const [item] = await itemsOf({
    'jobs.yaml': written(text.replace('A cat # 1', '"A cat # 1"')),
    'r.csv': 'id\n7\n8\n',
  });
  expect(item).toMatchObject({ name: 'caf\u00e9', request: { prompt: 'A cat # 1' } });
});
