import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { layout as keys } from '../archive/layout.ts';
import { outOfReach } from '../diagnosis/out-of-reach.ts';
import { messageOf } from '../errors.ts';
import { imagesOf } from '../items/images.ts';
import type { Guard } from './access.ts';
import { liveParts, type Parts } from './live.ts';
import { batchBody, batchParts } from './pages/batch.ts';
import { DROP_SCRIPT, DROP_STYLE } from './pages/drop-zone.ts';
import { banner } from './pages/findings.ts';
import { layout, type Page, policy } from './pages/layout.ts';
import { overviewBody, overviewParts } from './pages/overview.ts';
import { viewReader } from './pages/views.ts';
import type { Serving } from './serving.ts';
import { unlessAway } from './unless-away.ts';

/**
 * The names that a manifest may give to batches and items. Only such names become part of an archive key, so a URL cannot
 * reach other objects.
 */
const BATCH = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const ITEM = /^[a-z0-9][a-z0-9-]{0,99}$/;
/** `<item>`, and `<item>_2` for the second image of its task. */
const IMAGE = /^([^_]+)(?:_([1-9]\d{0,2}))?$/;

type OfBatch = { Params: { batch: string } };
type OfItem = { Params: { batch: string; item: string } };

/** `/` and `/batches/<name>`. The pages are complete without scripts; with scripts they stay up to date. */
export function pages(serving: Serving, guard: Guard) {
  const { archive, records, log } = serving.connections;
  const views = viewReader(serving);
  const live = liveParts((error) => {
    // That Redis is away is said once a minute, and on the page.
    if (!serving.presence.away()) log.warn({ reason: messageOf(error) }, 'page not updated');
  });
  /** While Redis is away there is nothing else to draw. */
  const drawn = async (draw: () => Promise<Parts | undefined>): Promise<Parts | undefined> => {
    const asked = await unlessAway(serving.presence, draw);
    if ('answer' in asked) return asked.answer;
    return { findings: banner(outOfReach({ redisAway: asked.away, faults: [] }), Date.now()) };
  };
  const overview = async () => (await drawn(async () => overviewParts(await views.overview()))) ?? {};
  const batch = (name: string) =>
    drawn(async () => {
      const view = BATCH.test(name) ? await views.batch(name) : undefined;
      return view && batchParts(view);
    });
  const sendPage = (reply: FastifyReply, page: Omit<Page, 'archiveUrl'>) =>
    send(reply, { ...page, archiveUrl: archive.url });

  return async (server: FastifyInstance): Promise<void> => {
    server.addHook('onRequest', guard);
    server.addHook('preClose', async () => live.close());

    server.get('/', async (_request, reply) =>
      sendPage(reply, {
        title: 'Batches · flux-batch',
        events: '/events',
        body: overviewBody(await overview()),
        style: DROP_STYLE,
        script: DROP_SCRIPT,
      }),
    );
    server.get('/events', (_request, reply) => {
      reply.hijack();
      live.watch('/', reply.raw, overview);
    });

    server.get<OfBatch>('/batches/:batch', async ({ params }, reply) => {
      const parts = await batch(params.batch);
      if (!parts) return reply.callNotFound();
      const events = `/batches/${params.batch}/events`;
      return sendPage(reply, { title: `${params.batch} · flux-batch`, events, body: batchBody(parts) });
    });
    server.get<OfBatch>('/batches/:batch/events', async (request, reply) => {
      const { batch: name } = request.params;
      if (!(await batch(name))) return reply.callNotFound();
      reply.hijack();
      live.watch(name, reply.raw, async () => (await batch(name)) ?? {});
    });

    server.get<OfItem>('/batches/:batch/thumbs/:item', async ({ params }, reply) => {
      if (!isItem(params)) return reply.callNotFound();
      const own = await archive.read(keys.thumb(params.batch, params.item));
      // Where the first image could not be had the item goes by another.
      const other = own ? undefined : await imageAt(records, params);
      const thumb = other ? await archive.read(other.thumb) : own;
      return sendImage(reply, thumb, 'image/webp');
    });
    server.get<OfItem>('/batches/:batch/images/:item', async ({ params }, reply) => {
      const image = isItem(params) ? await imageAt(records, params) : undefined;
      if (!image) return reply.callNotFound();
      return sendImage(reply, await archive.read(image.image), image.contentType);
    });
  };
}

/** The item's own image, or the one of a number. */
async function imageAt(records: Serving['connections']['records'], { batch, item }: OfItem['Params']) {
  const [, id = '', number] = IMAGE.exec(item) ?? [];
  const record = await records.read(batch, id);
  if (record?.state !== 'archived') return undefined;
  const images = imagesOf(record);
  return number === undefined ? images[0] : images.find((image) => String(image.number) === number);
}

function isItem({ batch, item }: OfItem['Params']): boolean {
  const [, id = ''] = IMAGE.exec(item) ?? [];
  return BATCH.test(batch) && ITEM.test(id);
}

function send(reply: FastifyReply, page: Page): FastifyReply {
  const nonce = randomBytes(16).toString('base64');
  return reply
    .headers({
      'content-security-policy': policy(nonce),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    .type('text/html; charset=utf-8')
    .send(layout(page, nonce));
}

function sendImage(reply: FastifyReply, body: Buffer | undefined, contentType: string): FastifyReply {
  if (!body) {
    reply.callNotFound();
    return reply;
  }
  return reply
    .headers({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'",
      'cache-control': 'private, max-age=3600',
    })
    .type(contentType)
    .send(body);
}
