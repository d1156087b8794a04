// `npm run pictures`: takes the pictures of status and of the pages for docs/ anew, from real runs against simulators. Minutes;
// with `-- accounts` only those of several accounts.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import sharp from 'sharp';
import { openCamera } from './camera.mjs';
import { commandsIn, openFront } from './processes.mjs';

const SERVES = /flux-batch serves (\S+)/;
/** A little more than we ask for: on a busy machine a request may come late, and a refusal is not what is to be seen. */
const EASY = ['--rate', '24/10s', '--poll-rate', '14/1s'];
const VIEWS = ['front', 'side', 'top', 'low', 'high', 'close', 'wide', 'lid', 'spout', 'handle', 'left', 'right'];

const folder = await mkdtemp(join(tmpdir(), 'flux-batch-pictures-'));
const camera = await openCamera();
try {
  if (!process.argv.includes('accounts')) await oneAccount(join(folder, 'one'));
  await severalAccounts(join(folder, 'several'));
} finally {
  await camera.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** A batch that runs, is paused, goes on, and stops for want of credits; a zip that is dropped. */
async function oneAccount(home) {
  await mkdir(home);
  const commands = commandsIn(home);
  try {
    const simulator = ['simulate', '--port', '0', '--median', '6s', '--image-size', '384', '--credits', '460', ...EASY];
    const [, url, key] = await commands.start(simulator, /FLUX_API_URL=(\S+)[\s\S]*FLUX_API_KEY=(\S+)\n/);
    commands.with({ FLUX_API_URL: url, FLUX_API_KEY: key });
    const [, page] = await commands.start(['serve', '--port', '0'], SERVES);
    await commands.start(['worker'], /submit, poll, archive to/);
    await enqueue(commands, home, 'autumn-posters', [posters(['slate'], VIEWS.slice(0, 8))]);
    await camera.goTo(page);
    await camera.until('autumn-posters', 8);
    await dropped(await photosZip());

    await enqueue(commands, home, 'spring-catalog', [
      { id: 'refused', prompt: 'A forbidden subject' },
      posters(['sun yellow', 'slate', 'coral', 'mint', 'ivory', 'plum', 'sand', 'teal'], VIEWS),
    ]);
    await camera.goTo(`${page}/batches/spring-catalog`, 900);
    await camera.until('spring-catalog', 14);
    await camera.loaded();
    await camera.take('serve-batch');

    await camera.goTo(page, 830);
    await camera.until('spring-catalog', 24);
    await camera.page.locator('.card .states .running').waitFor();
    await camera.take('serve');
    await camera.takeText('status', await commands.run('status'));

    await commands.run('pause', 'spring-catalog');
    await camera.goTo(`${page}/batches/spring-catalog`);
    await camera.page.locator('.chip', { hasText: 'paused' }).waitFor();
    await camera.page.locator('.states .running').waitFor({ state: 'detached' });
    await camera.loaded();
    await camera.take('serve-paused');

    await commands.run('resume', 'spring-catalog');
    await camera.goTo(`${page}/batches/spring-catalog`);
    await camera.page.locator('.chip', { hasText: 'stopped' }).waitFor();
    await camera.page.locator('.states .running').waitFor({ state: 'detached' });
    await camera.loaded();
    await camera.take('serve-held-up');
  } finally {
    await commands.stop();
  }
}

/** Two accounts at kie, one of which runs out of credits, and one at BFL; all are called back. */
async function severalAccounts(home) {
  await mkdir(home);
  const commands = commandsIn(home);
  let front;
  try {
    const simulate = async (key, credits, more = []) => {
      const args = ['simulate', '--port', '0', '--median', '6s', '--image-size', '384', '--api-key', key];
      const said = /(?:FLUX|BFL)_API_URL=(\S+)/;
      const [, url] = await commands.start([...args, '--credits', String(credits), ...more], said);
      return { url, key };
    };
    const kie = [await simulate('key-of-main', 4_820, EASY), await simulate('key-of-second', 75, EASY)];
    const bfl = await simulate('key-of-direct', 1_250, ['--provider', 'bfl']);
    front = await openFront(kie);
    await writeFile(
      join(home, 'lanes.yaml'),
      `lanes:
  - { name: main, key: KIE_API_KEY, rate: 20/10s }
  - { name: second, key: KIE_API_KEY_2, rate: 20/10s, share: 0.5 }
  - { name: direct, provider: bfl, key: BFL_API_KEY, concurrency: 24 }
`,
    );
    commands.with({
      ...{ FLUX_LANES: './lanes.yaml', FLUX_API_URL: front.url, BFL_API_URL: bfl.url, BFL_CALLBACKS: 'true' },
      ...{ KIE_API_KEY: kie[0].key, KIE_API_KEY_2: kie[1].key, BFL_API_KEY: bfl.key },
      FETCH_ALLOW: [...kie, bfl].map(({ url }) => new URL(url).host).join(','),
    });
    const [, page] = await commands.start(['serve', '--port', '0'], SERVES);
    commands.with({ FLUX_CALLBACK_URL: page });
    await commands.start(['worker'], /submit, poll, archive to/);
    const direct = posters(['coral', 'mint', 'ivory', 'plum', 'sand', 'teal'], VIEWS);
    await enqueue(commands, home, 'spring-catalog', [
      posters(['sun yellow', 'slate', 'ochre', 'pearl', 'moss', 'rust', 'sky', 'wine'], VIEWS),
      { ...direct, id: `direct-${direct.id}`, provider: 'bfl', model: 'flux-2-pro' },
    ]);
    await camera.goTo(page, 980);
    await camera.page.locator('#lane-second .chip', { hasText: 'closed' }).waitFor();
    await camera.until('spring-catalog', 60);
    await camera.take('serve-accounts');
  } finally {
    await commands.stop();
    front?.close();
  }
}

async function enqueue(commands, home, batch, jobs) {
  const defaults = { aspectRatio: '4:3', outputFormat: 'png' };
  const manifest = join(home, `${batch}.yaml`);
  await writeFile(manifest, JSON.stringify({ version: 1, batch, defaults, jobs }));
  await commands.run('enqueue', manifest, '--yes');
}

function posters(color, view) {
  const prompt = 'A {{ color }} poster, {{ view }} view, studio light';
  return { id: 'poster-{{ color }}-{{ view }}', prompt, matrix: { color, view } };
}

/** The page with the plan of what was dropped onto it. */
async function dropped(buffer) {
  await camera.page.setInputFiles('#drop-file', { name: 'spring.zip', mimeType: 'application/zip', buffer });
  await camera.page.getByRole('button', { name: /^Make 5 pictures for / }).waitFor();
  await camera.takeOnly('inbox', '.drop');
}

/** A table, and a photo to start from for each of its rows. */
async function photosZip() {
  const products = [
    ['lamp', 'a lamp of brass'],
    ['chair', 'a chair of oak'],
    ['vase', 'a blue vase with tulips'],
    ['clock', 'a clock of walnut'],
    ['table', 'a round table for two'],
  ];
  const files = {};
  for (const [index, [sku]] of products.entries()) {
    const background = `hsl(${index * 60}, 40%, 60%)`;
    files[`photos/${sku}.jpg`] = await sharp({ create: { width: 800, height: 800, channels: 3, background } })
      .jpeg()
      .toBuffer();
  }
  const jobs = [
    {
      id: '{{ sku }}',
      prompt: 'The same as a studio photo of {{ product }}',
      inputImage: 'photos/{{ sku }}.jpg',
      rows: 'products.csv',
    },
  ];
  files['products.csv'] = strToU8(['sku,product', ...products.map((row) => row.join(','))].join('\n'));
  files['jobs.yaml'] = strToU8(JSON.stringify({ version: 1, batch: 'spring-photos', jobs }));
  return Buffer.from(zipSync(files));
}
