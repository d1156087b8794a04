import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Answer, envelope, page } from './answer.ts';
import { type Faults, HOSTILE_FAULTS, IMAGE_FAULTS, ORIGIN_FAULTS, STORED_FAULTS, WRAPPING_FAULTS } from './faults.ts';
import type { ImagePlace, ImageUrls } from './image-urls.ts';
import type { Counts } from './ledger.ts';
import type { Settings } from './options.ts';
import { requestOf } from './parameters.ts';
import { bombOf } from './pictures/bombs.ts';
import { withImageFault } from './pictures/image-fault.ts';
import { commentOf, type Pictures } from './pictures/pictures.ts';
import { wrapped } from './pictures/wrapping.ts';
import type { Shot, Task, Tasks } from './tasks.ts';

const FAULTS = [...IMAGE_FAULTS, ...WRAPPING_FAULTS, ...HOSTILE_FAULTS] as const;
const isOneOf = <Name extends string>(names: readonly Name[], name: string): name is Name =>
  names.some((one) => one === name);

const linkRequestSchema = z.object({ url: z.string() });

export type DownloadPorts = {
  settings: Settings;
  tasks: Tasks;
  faults: Faults;
  urls: ImageUrls;
  pictures: Pictures;
  counts: Counts;
};

export function createDownloads({ settings, tasks, faults, urls, pictures, counts }: DownloadPorts) {
  /** Answers any image URL, which needs no key. Undefined when the path is not one. */
  async function image(url: URL): Promise<Answer | undefined> {
    const asked = urls.read(url.pathname);
    const found = asked && tasks.findByToken(asked.token);
    if (!asked || !found) return undefined;
    const { task, shot, number } = found;
    if (isDead(found, asked.place, asked.expiresAt)) {
      counts.downloads.expired += 1;
      return page(settings.expiredStatus, settings.expiredStatus === 404 ? '404 Not Found' : '403 AccessDenied');
    }
    counts.downloads[asked.place] += 1;
    const isFirst = shot.fetches === 0;
    shot.fetches += 1;
    const format = requestOf(task.paramJson).outputFormat;
    const good = { status: 200, headers: { 'content-type': `image/${format}` }, body: await pictures.of(task, number) };
    if (task.more.length > 0) shot.sha256 = createHash('sha256').update(good.body).digest('hex');
    // The target of a redirect has no further fault.
    const fault = url.searchParams.has('redirected') ? undefined : faults.draw(FAULTS, isFirst, number)?.name;
    const comment = commentOf(task, number);
    if (fault === undefined) return good;
    if (isOneOf(WRAPPING_FAULTS, fault)) return wrapped(fault, good, format, comment);
    if (!isOneOf(HOSTILE_FAULTS, fault))
      return withImageFault(fault, good, format, { url, stallMs: settings.slowAnswerMs, comment });
    const { contentType, body } = await bombOf(fault);
    return { status: 200, headers: { 'content-type': contentType }, body };
  }

  function isDead(
    { task, shot, number }: { task: Task; shot: Shot; number: number },
    place: ImagePlace,
    expiresAt: number | undefined,
  ): boolean {
    const age = task.endedAt === undefined || task.ending.flag !== 1 ? Infinity : Date.now() - task.endedAt;
    const isFirst = shot.fetches === 0;
    if (place === 'origin') {
      shot.originDead ||= faults.draw(ORIGIN_FAULTS, isFirst, number) !== undefined;
      return shot.originDead || age > settings.originTtlMs;
    }
    shot.storedDead ||= faults.draw(STORED_FAULTS, isFirst, number) !== undefined;
    return shot.storedDead || age > settings.storedTtlMs || (expiresAt !== undefined && Date.now() > expiresAt);
  }

  /** `POST /api/v1/common/download-url`. The caller's key is checked already. */
  function link(body: string): Answer {
    const token = tokenIn(body);
    const found = token === undefined ? undefined : tasks.findByToken(token);
    if (!found || found.task.endedAt === undefined) return envelope(422, 'url is not one of a generated file');
    counts.links += 1;
    return envelope(200, 'success', urls.linkTo(found.shot.token, Date.now() + settings.linkTtlMs));
  }

  function tokenIn(body: string): string | undefined {
    try {
      const url = new URL(linkRequestSchema.parse(JSON.parse(body)).url);
      // Only our own URLs: the same path on another host is another file.
      return url.origin === new URL(urls.linkTo('', 0)).origin ? urls.read(url.pathname)?.token : undefined;
    } catch {
      return undefined;
    }
  }

  return { image, link };
}
