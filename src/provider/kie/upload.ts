import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Answer, epochMs, jsonTextOf, parseJson, webUrl, withQuote } from '../answer.ts';
import { apiClient, type ClientSettings } from '../client.ts';
import type { Picture, Provider, UploadOutcome } from '../provider.ts';

/** Every page says 3 days, and 24 hours were reported: so long where an answer does not say. */
const LIFE_MS = 24 * 3_600_000;
const UPLOAD_TIMEOUT_MS = 120_000;
const FOLDER = 'flux-batch';

const answerSchema = z.object({
  success: z.boolean().nullish().catch(undefined),
  code: z.coerce.number().catch(0),
  msg: z.string().nullish().catch(undefined),
  message: z.string().nullish().catch(undefined),
  data: z
    .looseObject({ downloadUrl: z.unknown(), fileUrl: z.unknown(), expiresAt: z.unknown() })
    .partial()
    .nullish()
    .catch(undefined),
});

/** kie's files, by `POST /api/file-stream-upload`. One account and one key with its other APIs; it is free, and no submit. */
export function kieUploads(
  settings: ClientSettings,
  uploadUrl: string,
): { upload: NonNullable<Provider['upload']>; close(): Promise<void> } {
  const client = apiClient({ ...settings, apiUrl: uploadUrl, connections: 8 });
  return {
    async upload(picture, options = {}) {
      const form = formOf(picture);
      const path = '/api/file-stream-upload';
      return client.ask(options, { method: 'POST', path, form, timeoutMs: UPLOAD_TIMEOUT_MS }, uploadOutcome);
    },
    close: client.close,
  };
}

/** Reads either of the two shapes that the pages show. */
export function uploadOutcome(answer: Answer, now: number): UploadOutcome {
  const read = answerSchema.safeParse(parseJson(jsonTextOf(answer)));
  if (!read.success) return { kind: 'unreachable', message: withQuote(`HTTP ${answer.status} to an upload`, answer) };
  const { success, msg, message = msg, data } = read.data;
  const code = read.data.code || answer.status;
  const url = webUrl(data?.downloadUrl) ?? webUrl(data?.fileUrl);
  if (code === 200 && success !== false && url !== undefined)
    return { kind: 'uploaded', url, diesAt: epochMs(data?.expiresAt) ?? now + LIFE_MS };
  const said = message ?? withQuote(`code ${code} without a URL`, answer);
  switch (code) {
    case 400:
    case 413:
    case 422:
      return { kind: 'refused', refusal: 'invalid-parameters', code, message: said };
    case 401:
    case 403:
      return { kind: 'refused', refusal: 'unauthorized', code, message: said };
    case 429:
      return { kind: 'refused', refusal: 'rate-limited', code, message: said };
    default:
      return { kind: 'unreachable', message: said };
  }
}

/**
 * The same name would overwrite, and caches may serve what was there before: so each upload has a name of its own. Nobody can guess
 * it, for whoever knows it can fetch the picture.
 */
function formOf({ extension, contentType, body }: Picture): { contentType: string; bytes: Buffer } {
  const fileName = `${randomBytes(24).toString('hex')}.${extension}`;
  const boundary = `flux-batch-${randomBytes(16).toString('hex')}`;
  const field = (name: string, value: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const head =
    field('uploadPath', FOLDER) +
    field('fileName', fileName) +
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${fileName}"\r\ncontent-type: ${contentType}\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
