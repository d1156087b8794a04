import { createServer } from 'node:http';
import sharp from 'sharp';
import { member } from './children.ts';
import { cpuMsOf } from './measure.ts';

export type PictureInput = { format: 'jpeg' | 'png'; bytes: number; listed: number };
export type PictureProvider = { url: string; bytes: number };

/**
 * The cheapest provider there can be: tasks have ended when they begin, every image is the same real one. It leaves the processor
 * to what is measured. `/dir/` lists so many names of it, as a web server does.
 */
await member<PictureInput>(async ({ format, bytes, listed }) => {
  const picture = await pictureOf(format, bytes);
  let tasks = 0;
  const names = Array.from({ length: listed }, (_, index) => `image-${String(index).padStart(5, '0')}.${format}`);
  const listing = names.map((name) => `<a href="${name}">${name}</a>`).join('\n');
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    const json = (data: unknown) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ code: 200, msg: 'success', data }));
    };
    request.resume();
    request.on('end', () => {
      if (url.includes('/generate')) {
        tasks += 1;
        return json({ taskId: `task-${tasks}` });
      }
      if (url.includes('/record-info')) {
        const originImageUrl = `http://${request.headers.host}/dir/image-00000.${format}`;
        return json({ successFlag: 1, completeTime: new Date().toISOString(), response: { originImageUrl } });
      }
      if (url.includes('/chat/credit')) return json(1_000_000_000);
      if (url === '/dir/') {
        response.setHeader('content-type', 'text/html');
        return response.end(`<html><body>${listing}</body></html>`);
      }
      response.setHeader('content-type', `image/${format}`);
      response.setHeader('content-length', picture.length);
      return response.end(request.method === 'HEAD' ? undefined : picture);
    });
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    ready: { url: `http://127.0.0.1:${port}`, bytes: picture.length } satisfies PictureProvider,
    async stop() {
      server.closeAllConnections();
      server.close();
      return { cpuMs: cpuMsOf(process.pid) };
    },
  };
});

/** Blurred noise: compresses about as a photograph does. Of one megapixel, as the API makes them, unless more bytes are asked for. */
async function pictureOf(format: 'jpeg' | 'png', bytes: number): Promise<Buffer> {
  const isHuge = bytes > 4_000_000;
  const side = isHuge ? Math.floor(Math.sqrt(bytes / 3.2)) : 1_024;
  const noise = await sharp({
    create: {
      width: side,
      height: side,
      channels: 3,
      background: 'gray',
      noise: { type: 'gaussian', mean: 128, sigma: isHuge ? 80 : 40 },
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const picture = sharp(noise.data, { raw: noise.info });
  if (isHuge) return picture.png({ compressionLevel: 1 }).toBuffer();
  if (format === 'png') return picture.blur(1.2).png().toBuffer();
  let best = Buffer.alloc(0);
  for (let quality = 60; quality < 100 && best.length < bytes; quality += 2) {
    best = await picture.clone().blur(1.2).jpeg({ quality }).toBuffer();
  }
  return best;
}
