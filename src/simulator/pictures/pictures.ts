import type { Settings } from '../options.ts';
import { type Generate, ratioOf, requestOf } from '../parameters.ts';
import type { Task } from '../tasks.ts';
import { draw } from './draw.ts';
import { padded, stamped } from './segments.ts';
import { sizeOf } from './size.ts';

const CACHE_BYTES = 64 * 1024 * 1024;

export type Pictures = {
  /** An image of a task. The same bytes at each call. */
  of(task: Task, number: number): Promise<Buffer>;
};

/** Pictures are drawn at the first request. Most tasks of a load test are downloaded once, many never. */
export function createPictures(settings: Pick<Settings, 'pictures' | 'imageSize' | 'imageBytes'>): Pictures {
  const cache = createCache(CACHE_BYTES);

  async function base(task: Task, request: Generate, number: number): Promise<Buffer> {
    const ratio = ratioOf(request);
    const size = sizeOf(ratio, settings.imageSize);
    const format = request.outputFormat;
    if (settings.pictures === 'drawn') {
      const which = { take: task.take, number };
      return cache(`${task.requestKey}/${task.take}/${number}`, () => draw(request, ratio, which, size));
    }
    return cache(`plain/${format}/${ratio}`, async () => {
      const picture = await draw({ ...request, prompt: 'plain' }, ratio, { take: 1, number: 1 }, size);
      return padded(picture, format, settings.imageBytes);
    });
  }

  return {
    async of(task, number) {
      const request = requestOf(task.paramJson);
      return stamped(await base(task, request, number), request.outputFormat, commentOf(task, number));
    },
  };
}

/** A plain picture also names its prompt, so that a test can check that each item got its own. */
export function commentOf(task: Task, number: number): string {
  const which = number > 1 ? { image: number } : {};
  return JSON.stringify({ prompt: requestOf(task.paramJson).prompt, take: task.take, ...which });
}

/** An LRU cache. Concurrent requests for the same picture share one drawing. */
function createCache(maxBytes: number) {
  const kept = new Map<string, Buffer>();
  const running = new Map<string, Promise<Buffer>>();
  let bytes = 0;

  function keep(key: string, picture: Buffer) {
    kept.set(key, picture);
    bytes += picture.length;
    for (const [oldKey, old] of kept) {
      if (bytes <= maxBytes) return;
      kept.delete(oldKey);
      bytes -= old.length;
    }
  }

  return async (key: string, make: () => Promise<Buffer>): Promise<Buffer> => {
    const found = kept.get(key);
    if (found) {
      kept.delete(key);
      kept.set(key, found);
      return found;
    }
    const making = running.get(key) ?? make();
    if (running.has(key)) return making;
    running.set(key, making);
    try {
      const picture = await making;
      keep(key, picture);
      return picture;
    } finally {
      running.delete(key);
    }
  };
}
