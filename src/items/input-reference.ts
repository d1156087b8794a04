import type { ImageRequest } from './item.ts';

/** Formats that a picture to start from may have: those that every API takes. */
export const INPUT_EXTENSIONS = ['jpg', 'png', 'webp'] as const;
export type InputExtension = (typeof INPUT_EXTENSIONS)[number];

/** What to do about a picture of any other. */
export const CONVERT_PICTURE = 'convert it to JPEG, PNG or WebP: no other format is taken by every API';

const REFERENCE = /^inputs\/([0-9a-f]{64})\.(jpg|png|webp)$/;

/**
 * What stands in a request for a picture of one's own, in place of a URL: where it is stored below its batch. It goes by the bytes
 * alone, so that a moved file is the same picture and a changed one is another.
 */
export function inputReference({ sha256, extension }: { sha256: string; extension: InputExtension }): string {
  return `inputs/${sha256}.${extension}`;
}

export type InputReference = { reference: string; sha256: string; extension: InputExtension };

/** Undefined for a URL. */
export function parseInputReference(text: string): InputReference | undefined {
  const [, sha256, ending] = REFERENCE.exec(text) ?? [];
  const extension = INPUT_EXTENSIONS.find((one) => one === ending);
  return sha256 === undefined || extension === undefined ? undefined : { reference: text, sha256, extension };
}

/** Pictures of one's own that a request starts from, each once. */
export function inputReferencesOf({
  inputImage,
  inputImages = [],
}: Pick<ImageRequest, 'inputImage' | 'inputImages'>): InputReference[] {
  const texts = new Set([...(inputImage === undefined ? [] : [inputImage]), ...inputImages]);
  return [...texts].flatMap((text) => parseInputReference(text) ?? []);
}

/** The request with other texts for some of its pictures: for references the URLs that they can be had at, for paths the references. */
export function withInputs(request: ImageRequest, by: ReadonlyMap<string, string>): ImageRequest {
  const { inputImage, inputImages } = request;
  const put = (text: string) => by.get(text) ?? text;
  return {
    ...request,
    ...(inputImage !== undefined && { inputImage: put(inputImage) }),
    ...(inputImages && { inputImages: inputImages.map(put) }),
  };
}

export const INPUT_TYPES: Readonly<Record<InputExtension, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
};
