import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { describeConfig } from '../../src/config.ts';

const text = () => readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
const service = z.looseObject({ environment: z.record(z.string(), z.string()).optional() });
const compose = z.looseObject({ services: z.record(z.string(), service) });

test('no password has a value in the repository: who starts it chooses each', async () => {
  const uses = [...(await text()).matchAll(/\$\{(\w*(?:PASSWORD|SECRET)\w*)(.*?)\}/g)];
  expect(new Set(uses.map(([, name]) => name))).toEqual(new Set(['REDIS_PASSWORD', 'S3_SECRET_KEY', 'SERVE_PASSWORD']));
  for (const [whole, , rest = ''] of uses) expect([whole, rest.startsWith(':?')]).toEqual([whole, true]);
});

test('every variable that our services get is one that we read', async () => {
  const { services } = compose.parse(parse(await text(), { merge: true }));
  const read = [...describeConfig().map(({ name }) => name), 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  for (const name of ['worker', 'inbox', 'serve', 'cli']) {
    for (const variable of Object.keys(services[name]?.environment ?? {})) expect(read).toContain(variable);
  }
});
