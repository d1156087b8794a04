import { createHmac, randomBytes } from 'node:crypto';
import { requestOf } from './parameters.ts';
import type { Task } from './tasks.ts';

export type ImagePlace = 'origin' | 'stored' | 'link';
export type ImageUrls = {
  /** What a finished task shows. */
  of(task: Task): { originImageUrl: string; resultImageUrl: string };
  /** A temporary link to a file of ours; it carries its own end and is not remembered. */
  linkTo(token: string, expiresAt: number): string;
  /** What a path asks for; undefined when it is none of ours or a forged link. */
  read(path: string): { place: ImagePlace; token: string; expiresAt?: number } | undefined;
};

export function createImageUrls(baseUrl: () => string): ImageUrls {
  const linkKey = randomBytes(16);
  const sealOf = (text: string) => createHmac('sha256', linkKey).update(text).digest('hex').slice(0, 16);

  return {
    of(task) {
      const extension = requestOf(task.paramJson).outputFormat === 'png' ? 'png' : 'jpg';
      return {
        originImageUrl: `${baseUrl()}/origin/${task.token}.${extension}`,
        resultImageUrl: `${baseUrl()}/stored/${task.token}.${extension}`,
      };
    },
    linkTo(token, expiresAt) {
      const text = `${token}-${expiresAt}`;
      return `${baseUrl()}/link/${text}-${sealOf(text)}`;
    },
    read(path) {
      const image = /^\/(origin|stored)\/([0-9a-f]+)\.(?:jpg|png)$/.exec(path);
      if (image?.[2]) return { place: image[1] === 'origin' ? 'origin' : 'stored', token: image[2] };
      const link = /^\/link\/(([0-9a-f]+)-(\d+))-([0-9a-f]+)$/.exec(path);
      if (!link?.[1] || !link[2] || sealOf(link[1]) !== link[4]) return undefined;
      return { place: 'link', token: link[2], expiresAt: Number(link[3]) };
    },
  };
}
