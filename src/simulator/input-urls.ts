import { createHash } from 'node:crypto';

const FIELDS = /^(inputImage|input_image(_\d)?|image_prompt|image_url|image_urls|input_urls|image_input|mask_url)$/;

/** The pictures that the raw body of a submit names, in any of the APIs. */
export function inputsIn(body: string): string[] {
  try {
    const parsed: unknown = JSON.parse(body);
    return isMap(parsed) ? [...imagesOf(parsed), ...(isMap(parsed.input) ? imagesOf(parsed.input) : [])] : [];
  } catch {
    return [];
  }
}

function imagesOf(map: Record<string, unknown>): string[] {
  return Object.entries(map).flatMap(([key, value]) =>
    FIELDS.test(key) ? [value].flat().filter((one) => typeof one === 'string') : [],
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SIGNED = /\?[^"\\\s]*X-Amz-Signature[^"\\\s]*/g;
const UPLOAD = /(\/uploads\/[0-9a-f]{64})\/[^"\\\s]*/g;

/** The same picture by another URL is the same request. */
export function withoutTokens(text: string): string {
  return text.replace(SIGNED, '').replace(UPLOAD, '$1');
}

/** A body without the pictures that are in it: a thousand of them would not fit into memory. */
export function withoutInline(body: string): string {
  return body.replace(/"(input_image(?:_\d)?|image_prompt)":"((?!https?:)[^"]{200,})"/g, (_, name, data) => {
    const sha256 = createHash('sha256').update(String(data)).digest('hex');
    return `"${name}":"sha256:${sha256}"`;
  });
}
