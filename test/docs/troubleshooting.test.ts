import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { anchorOf, KINDS } from '../../src/diagnosis/finding.ts';
import { anchorsOf } from './markdown.ts';
import { PROJECT } from './reader.ts';

const PAGE = 'docs/troubleshooting.md';
const read = (file: string) => readFile(join(PROJECT, file), 'utf8');
const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(z.object({ alert: z.string(), annotations: z.looseObject({ runbook_url: z.string() }) })),
    }),
  ),
});

test('each kind of finding has its section, where its anchor leads', async () => {
  const anchors = anchorsOf(await read(PAGE)).map((anchor) => `${PAGE}#${anchor}`);
  for (const kind of Object.keys(KINDS)) expect(anchors).toContain(`${PAGE}#${kind}`);
  expect(anchorOf('held')).toBe(`${PAGE}#held`);
});

test('each alert has its section, and a runbook_url that leads to one without naming a host', async () => {
  const page = await read(PAGE);
  const anchors = anchorsOf(page);
  const { groups } = rulesSchema.parse(parse(await read('deploy/prometheus/alerts.yml')));
  for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
    expect(anchors).toContain(alert.toLowerCase());
    const [before, anchor] = annotations.runbook_url.split(`${PAGE}#`);
    expect(before).toBe('{{ $externalLabels.flux_batch_docs }}');
    // What holds work up has a section for each kind.
    if (anchor !== '{{ $labels.kind }}') expect(anchor).toBe(alert.toLowerCase());
  }
});

test('no section is twice, so that each anchor leads to one place', async () => {
  const anchors = anchorsOf(await read(PAGE));
  expect(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index)).toEqual([]);
});
