// Draws what bench:fed has printed:   npm run bench:draw -- run.jsonl docs/million.svg
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const sampleSchema = z.object({
  seconds: z.number(),
  archived: z.number(),
  unfed: z.number(),
  redisMb: z.number(),
  workerMb: z.number(),
  commands: z.number(),
  archive: z.object({ read: z.number(), write: z.number(), list: z.number() }),
});
type Sample = z.infer<typeof sampleSchema>;
type Line = { name: string; color: string; of: (sample: Sample, before: Sample) => number };
type Panel = { title: string; unit: string; lines: Line[] };

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BETWEEN] = [760, 150, 76, 150, 30, 64];
const MOST_POINTS = 240;
const [INK, PALE] = ['#44403c', '#d6d3d1'];

const perSecond = (of: (sample: Sample) => number) => (now: Sample, before: Sample) =>
  now === before ? 0 : (of(now) - of(before)) / Math.max(0.1, now.seconds - before.seconds);

const PANELS: Panel[] = [
  {
    title: 'Items',
    unit: '',
    lines: [
      { name: 'archived', color: '#15803d', of: ({ archived }) => archived },
      { name: 'wait in the archive', color: '#b45309', of: ({ unfed }) => unfed },
    ],
  },
  {
    title: 'Memory',
    unit: ' MB',
    lines: [
      { name: 'Redis', color: '#b91c1c', of: ({ redisMb }) => redisMb },
      { name: 'worker process', color: '#1d4ed8', of: ({ workerMb }) => workerMb },
    ],
  },
  {
    title: 'Asked of the archive',
    unit: '/s',
    lines: [
      { name: 'writes', color: '#15803d', of: perSecond(({ archive }) => archive.write) },
      { name: 'reads and lists', color: '#b45309', of: perSecond(({ archive }) => archive.read + archive.list) },
    ],
  },
  {
    title: 'Redis commands',
    unit: '/s',
    lines: [{ name: 'with those in scripts', color: '#b91c1c', of: perSecond(({ commands }) => commands) }],
  },
];

function read(path: string): Sample[] {
  const all = readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const found = sampleSchema.safeParse(line === '' ? undefined : JSON.parse(line));
      return found.success ? [found.data] : [];
    });
  const step = Math.max(1, Math.ceil(all.length / MOST_POINTS));
  return all.filter((_, index) => index % step === 0 || index === all.length - 1);
}

function draw(samples: readonly Sample[]): string {
  const last = samples.at(-1)?.seconds ?? 1;
  const x = (seconds: number) => LEFT + (seconds / last) * WIDTH;
  const height = TOP + PANELS.length * (HEIGHT + BETWEEN);
  const drawn = PANELS.map((panel, index) => drawPanel(panel, samples, x, TOP + index * (HEIGHT + BETWEEN)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + RIGHT}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<title>Items, memory and requests of a large batch over time</title>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawPanel(
  { title, unit, lines }: Panel,
  samples: readonly Sample[],
  x: (seconds: number) => number,
  top: number,
): string {
  const values = lines.map(({ of }) => samples.map((sample, index) => of(sample, samples[index - 1] ?? sample)));
  const most = niceAbove(Math.max(1, ...values.flat()));
  const y = (value: number) => top + HEIGHT - (value / most) * HEIGHT;
  const end = samples.at(-1)?.seconds ?? 1;
  const grid = [0, 0.5, 1].map(
    (share) =>
      `<path d="M${LEFT} ${y(most * share)}H${LEFT + WIDTH}" stroke="${PALE}"/><text x="${LEFT - 8}" y="${y(most * share) + 4}" text-anchor="end" fill="${INK}">${(most * share).toLocaleString('en-US')}${unit}</text>`,
  );
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${x(end * share)}" y="${top + HEIGHT + 17}" text-anchor="middle" fill="${INK}">${Math.round(end * share)} s</text>`,
  );
  const paths = lines.map(({ name, color }, index) => {
    const points = samples.map(
      ({ seconds }, at) => `${x(seconds).toFixed(1)} ${y(values[index]?.[at] ?? 0).toFixed(1)}`,
    );
    return `<path d="M${points.join('L')}" fill="none" stroke="${color}" stroke-width="1.6"/><text x="${LEFT + WIDTH + 10}" y="${top + 14 + 18 * index}" fill="${color}">${name}</text>`;
  });
  return [
    `<text x="${LEFT}" y="${top - 9}" font-weight="bold" fill="${INK}">${title}</text>`,
    ...grid,
    ...times,
    ...paths,
  ].join('\n');
}

function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * unit >= value) ?? 10) * unit;
}

const [from = '', to = ''] = process.argv.slice(2);
writeFileSync(to, draw(read(from)));
