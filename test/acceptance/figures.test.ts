import { expect, test } from 'vitest';
import { openPlace } from './place.ts';

type Input = {
  jobs: string;
  files?: Record<string, string>;
  /** What it comes to. */
  items: number;
  /** What `plan` says of it. */
  says?: string;
};

const job = (...lines: string[]) => `  - ${lines.join('\n    ')}\n`;
const CITIES = ['東京', '大阪', '京都'];

const INPUTS: [string, Input][] = [
  [
    'lines of a prompts file that are repeated',
    {
      jobs: job('prompts: colours.txt'),
      files: { 'colours.txt': 'a red bowl\na blue bowl\na red bowl\n\na red bowl\n' },
      items: 2,
      says: '2 lines are repeated, each is made once: colours.txt:3, colours.txt:5; use variants to have more',
    },
  ],
  [
    'rows that differ in a column that nothing uses',
    {
      jobs: job('id: lamp', 'prompt: A lamp of {{ what }}', 'rows: lamps.csv'),
      files: { 'lamps.csv': 'what,price\nbrass,1\nglass,2\nbrass,3\n' },
      items: 2,
      says: 'warning: lamps.csv:1  nothing uses the column price',
    },
  ],
  [
    'names of other scripts that have one prompt',
    {
      jobs: job('id: "{{ name }}"', 'prompt: A street in the rain', 'rows: cities.csv'),
      files: { 'cities.csv': `name\n${CITIES.join('\n')}\n` },
      items: CITIES.length,
    },
  ],
  [
    'names that differ in their case alone',
    { jobs: ['Hero', 'hero', 'cat 1', 'cat-1'].map((id) => job(`id: ${id}`, 'prompt: A cat')).join(''), items: 4 },
  ],
  ['one prompt with variants', { jobs: job('id: cat', 'prompt: A cat', 'variants: 3'), items: 3 }],
  [
    'a matrix that is in the name alone',
    { jobs: job('id: cat-{{ seed }}', 'prompt: A cat', 'matrix: { seed: [1, 2, 3] }'), items: 3 },
  ],
  [
    'requests that differ in a stated default',
    {
      jobs: job('id: "{{ name }}"', 'prompt: A cat', 'enableTranslation: "{{ told }}"', 'rows: told.csv'),
      files: { 'told.csv': 'name,told\ncat,true\ncat,false\n' },
      items: 2,
    },
  ],
  [
    'line ends and letters in two forms',
    {
      jobs: job('id: "{{ name }}"', 'prompt: "{{ text }}"', 'rows: texts.csv'),
      files: { 'texts.csv': 'name,text\r\nCafé,"A\r\nB"\r\nCafe\u0301,"A\nB"\r\n' },
      items: 1,
      says: '1 line is repeated, it is made once: texts.csv:4',
    },
  ],
];

test.concurrent.for(INPUTS)('%s: what plan says is what the provider charges', async ([, input], context) => {
  const place = await openPlace(context);
  for (const [name, text] of Object.entries(input.files ?? {})) await place.write(name, text);
  await place.write('jobs.yaml', `version: 1\nbatch: told\njobs:\n${input.jobs}`);
  if (input.says) {
    const shown = await place.run(['plan', 'jobs.yaml']);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toContain(input.says);
  }
  const planned = JSON.parse((await place.run(['plan', 'jobs.yaml', '--json'])).stdout);
  expect(planned).toMatchObject({ items: input.items, toMake: input.items });

  const { code, stderr } = await place.run(['run', 'jobs.yaml', '--json']);
  expect(code, stderr).toBe(0);
  const { tasks, credits } = place.simulator.ledger();
  expect({ items: tasks.accepted, credits: credits.charged }).toEqual({
    items: planned.items,
    credits: planned.credits,
  });
  const again = JSON.parse((await place.run(['plan', 'jobs.yaml', '--json'])).stdout);
  expect(again).toMatchObject({ toMake: 0, credits: 0, archived: input.items });
});

test('a matrix that nothing uses is a mistake with its place, and nothing is spent', async (context) => {
  const place = await openPlace(context);
  await place.write(
    'jobs.yaml',
    `version: 1\nbatch: told\njobs:\n${job('id: cat', 'prompt: A cat', 'matrix: { seed: [1, 2, 3] }')}`,
  );
  for (const command of ['plan', 'run']) {
    const { code, stderr } = await place.run([command, 'jobs.yaml']);
    expect(code).toBe(2);
    expect(stderr).toContain('jobs.yaml:6:15  jobs[0].matrix.seed: nothing in this job uses {{ seed }}');
    expect(stderr).toContain('variants: 3');
  }
  expect(place.simulator.ledger().submits.seen).toBe(0);
});

/** The jobs of a batch of five, edited. */
const five = (defaults: string, hero = 'hero') =>
  `version: 1\nbatch: told\ndefaults: { ${defaults} }\njobs:\n${job(`id: ${hero}`, 'prompt: A lighthouse')}${job(
    'id: pot-{{ n }}',
    'prompt: A teapot, number {{ n }}',
    'matrix: { n: [1, 2, 3, 4] }',
  )}`;

test('plan shows the difference from what is archived, and run asks before much is made again', async (context) => {
  const place = await openPlace(context);
  const planned = async (text: string) => {
    await place.write('jobs.yaml', text);
    const { code, stdout, stderr } = await place.run(['plan', 'jobs.yaml']);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  await planned(five('model: flux-kontext-pro'));
  expect((await place.run(['run', 'jobs.yaml'])).code).toBe(0);

  expect(await planned(five('enableTranslation: true'))).not.toContain('another');
  expect(await planned(five('model: flux-kontext-pro', 'lighthouse'))).toContain(
    '1 has an equal request under another name: hero → lighthouse',
  );
  expect(await planned(five('enableTranslation: false'))).toContain(
    '5 have an image under this name with another request: enableTranslation – → false',
  );
  for (const command of ['run', 'enqueue']) {
    const refused = await place.run([command, 'jobs.yaml']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('5 of 5 archived images would be made, and paid for, again');
  }
  expect(place.simulator.ledger().tasks.accepted).toBe(5);
  const agreed = await place.run(['run', 'jobs.yaml', '--yes']);
  expect(agreed.code, agreed.stderr).toBe(0);
  expect(place.simulator.ledger().tasks.accepted).toBe(10);
});
