import { createHmac, randomBytes } from 'node:crypto';
import { requestOf } from './parameters.ts';
import { shotsOf, type Task } from './tasks.ts';

export type ImagePlace = 'origin' | 'stored' | 'link';
export type ImageUrls = {
  /** The URLs that a finished task shows. */
  of(task: Task): { originImageUrl: string; resultImageUrl: string };
  /** Where each of its images is stored. */
  stored(task: Task): string[];
  /** A temporary link to one of our files. It contains its expiry and a signature, so nothing is stored. */
  linkTo(token: string, expiresAt: number): string;
  /** The image that a path names. Undefined for another path or a forged link. */
  read(path: string): { place: ImagePlace; token: string; expiresAt?: number } | undefined;
};

export function createImageUrls(baseUrl: () => string): ImageUrls {
  const linkKey = randomBytes(16);
  const signatureOf = (text: string) => createHmac('sha256', linkKey).update(text).digest('hex').slice(0, 16);

  const extensionOf = (task: Task) => (requestOf(task.paramJson).outputFormat === 'png' ? 'png' : 'jpg');

  return {
    of(task) {
      const extension = extensionOf(task);
      return {
        originImageUrl: `${baseUrl()}/origin/${task.token}.${extension}`,
        resultImageUrl: `${baseUrl()}/stored/${task.token}.${extension}`,
      };
    },
    stored: (task) => shotsOf(task).map(({ token }) => `${baseUrl()}/stored/${token}.${extensionOf(task)}`),
    linkTo(token, expiresAt) {
      const text = `${token}-${expiresAt}`;
      return `${baseUrl()}/link/${text}-${signatureOf(text)}`;
    },
    read(path) {
      const image = /^\/(origin|stored)\/([0-9a-f]+)\.(?:jpg|png)$/.exec(path);
      if (image?.[2]) return { place: image[1] === 'origin' ? 'origin' : 'stored', token: image[2] };
      const link = /^\/link\/(([0-9a-f]+)-(\d+))-([0-9a-f]+)$/.exec(path);
      if (!link?.[1] || !link[2] || signatureOf(link[1]) !== link[4]) return undefined;
      return { place: 'link', token: link[2], expiresAt: Number(link[3]) };
    },
  };
}
