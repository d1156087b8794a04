import { createHash } from 'node:crypto';
import { type Answer, json, page } from './answer.ts';
import { type Faults, UPLOAD_FAULTS } from './faults.ts';
import type { Counts } from './ledger.ts';
import type { Settings } from './options.ts';
import type { Call } from './server.ts';

type Upload = { body: Buffer; contentType: string; diesAt: number };
type Field = { name: string; fileName: string | undefined; type: string | undefined; body: Buffer };

export type UploadPorts = { settings: Settings; faults: Faults; counts: Counts; baseUrl: () => string };

/** `POST /api/file-stream-upload` of kie, and where its files are fetched from. The caller's key is checked already. */
export function createUploads({ settings, faults, counts, baseUrl }: UploadPorts) {
  const files = new Map<string, Upload>();

  function upload({ headers, bytes }: Call, at: number): Answer {
    counts.uploads.seen += 1;
    const fault = faults.draw(UPLOAD_FAULTS, true)?.name;
    if (fault !== undefined) return refusalBy(fault);
    const fields = partsOf(headers['content-type'], bytes);
    const file = fields?.find(({ name, fileName }) => name === 'file' && fileName !== undefined);
    const textOf = (wanted: string) => fields?.find(({ name }) => name === wanted)?.body.toString('utf8');
    const folder = textOf('uploadPath');
    if (!file || !folder) return refuse(400, 'file and uploadPath are required');
    if (/^\/|\/$|\.\./.test(folder)) return refuse(400, 'uploadPath is invalid');
    const sha256 = createHash('sha256').update(file.body).digest('hex');
    const name = textOf('fileName') ?? `${counts.uploads.stored}.bin`;
    const path = `/uploads/${sha256}/${folder}/${name}`;
    files.set(path, { body: file.body, contentType: file.type ?? '', diesAt: at + settings.uploadTtlMs });
    counts.uploads.stored += 1;
    counts.uploads.bytes += file.body.length;
    const url = baseUrl() + path;
    const common = { fileName: name, fileSize: file.body.length, mimeType: file.type };
    // The two shapes that its pages show. Only one says how long the file is kept.
    const data =
      settings.uploadShape === 'reference'
        ? { ...common, filePath: `${folder}/${name}`, downloadUrl: url, uploadedAt: new Date(at).toISOString() }
        : {
            ...common,
            ...{ fileId: sha256.slice(0, 16), originalName: name, uploadPath: folder, fileUrl: url },
            uploadTime: new Date(at).toISOString(),
            expiresAt: new Date(at + (settings.uploadToldTtlMs ?? settings.uploadTtlMs)).toISOString(),
          };
    return json({ success: true, code: 200, msg: 'File uploaded successfully', data });
  }

  /** Undefined when the path is no upload's. */
  function file(path: string): Answer | undefined {
    if (!path.startsWith('/uploads/')) return undefined;
    const found = files.get(path);
    if (!found || Date.now() > found.diesAt) {
      counts.uploads.dead += 1;
      return page(404, '404 Not Found');
    }
    return { status: 200, headers: { 'content-type': found.contentType }, body: found.body };
  }

  function expire(): void {
    for (const one of files.values()) one.diesAt = 0;
  }
  return { upload, file, expire };
}

function refuse(code: number, msg: string): Answer {
  return json({ success: false, code, msg });
}

function refusalBy(fault: (typeof UPLOAD_FAULTS)[number]): Answer {
  switch (fault) {
    case 'upload-500':
      return refuse(500, 'Server error');
    case 'upload-401':
      return refuse(401, 'Authentication failed');
    case 'upload-html':
      return page(502, '502 Bad Gateway');
  }
}

/** The parts of a multipart body; undefined when it is none. */
function partsOf(contentType: string | undefined, body: Buffer): Field[] | undefined {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(contentType ?? '')?.[1];
  if (boundary === undefined) return undefined;
  const mark = Buffer.from(`--${boundary}`);
  const fields: Field[] = [];
  for (let at = body.indexOf(mark); at !== -1; ) {
    const start = at + mark.length + 2;
    const next = body.indexOf(mark, start);
    const headEnd = body.indexOf('\r\n\r\n', start);
    if (next === -1 || headEnd === -1 || headEnd > next) break;
    const head = body.toString('utf8', start, headEnd);
    fields.push({
      name: /;\s*name="([^"]*)"/i.exec(head)?.[1] ?? '',
      fileName: /;\s*filename="([^"]*)"/i.exec(head)?.[1],
      type: /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim(),
      body: Buffer.from(body.subarray(headEnd + 4, next - 2)),
    });
    at = next;
  }
  return fields;
}
