import type { CompletedPart } from '@aws-sdk/client-s3';
import { FluxError } from '../errors.ts';
import type { PendingFile } from './archive.ts';
import type { S3Address, S3Connection } from './s3-client.ts';
import { putWhole } from './s3-put.ts';
import type { S3Operation } from './s3-requests.ts';

/** S3 requires parts of 5 MB or more and allows 10,000 of them, so an object may have up to 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;

type Request = <T>(run: S3Operation<T>) => Promise<T>;

/**
 * A multipart upload. A part is sent as soon as enough bytes are buffered; the object is not visible before `commit`.
 * An object smaller than one part is put whole. A crash leaves an unfinished upload, which is stored until a lifecycle
 * rule of the bucket removes it.
 */
export function pendingObject(at: S3Address, contentType: string, request: Request): PendingFile {
  let buffered: Buffer[] = [];
  let bufferedBytes = 0;
  let sentBytes = 0;
  let uploadId: string | undefined;
  const parts: CompletedPart[] = [];

  const take = () => {
    const body = Buffer.concat(buffered);
    buffered = [];
    bufferedBytes = 0;
    return body;
  };

  const sendPart = async () => {
    const body = take();
    uploadId ??= await request((s3, signal) => beginUpload(s3, at, contentType, signal));
    const upload = { ...at, UploadId: uploadId, PartNumber: parts.length + 1 };
    const tag = await request(async ({ sdk, client }, signal) => {
      const command = new sdk.UploadPartCommand({ ...upload, Body: body, ContentLength: body.length });
      return (await client.send(command, { abortSignal: signal })).ETag;
    });
    parts.push({ PartNumber: upload.PartNumber, ...(tag !== undefined && { ETag: tag }) });
    sentBytes += body.length;
  };

  return {
    async append(part) {
      buffered.push(part);
      bufferedBytes += part.length;
      if (bufferedBytes >= PART_BYTES) await sendPart();
    },
    async commit() {
      if (uploadId === undefined) {
        const body = take();
        await request((s3, signal) => putWhole(s3, at, { body, contentType }, signal));
        return;
      }
      if (bufferedBytes > 0) await sendPart();
      const upload = { ...at, UploadId: uploadId, MultipartUpload: { Parts: parts } };
      await request(async (s3, signal) => {
        await s3.client.send(new s3.sdk.CompleteMultipartUploadCommand(upload), { abortSignal: signal });
        await compareLength(s3, at, sentBytes, signal);
      });
    },
    async discard() {
      buffered = [];
      if (uploadId === undefined) return;
      const upload = { ...at, UploadId: uploadId };
      await request(({ sdk, client }, signal) =>
        client.send(new sdk.AbortMultipartUploadCommand(upload), { abortSignal: signal }),
      ).catch(() => {});
    },
  };
}

async function beginUpload(
  { sdk, client, parametersOf }: S3Connection,
  at: S3Address,
  contentType: string,
  signal: AbortSignal,
) {
  const command = new sdk.CreateMultipartUploadCommand({ ...at, ...parametersOf(at.Key), ContentType: contentType });
  const { UploadId } = await client.send(command, { abortSignal: signal });
  if (UploadId === undefined) {
    throw new FluxError('archive-unreachable', `The bucket ${at.Bucket} began an upload without an id`);
  }
  return UploadId;
}

/** The server has checked each part against its signed hash. This checks that no part is missing. */
async function compareLength({ sdk, client }: S3Connection, at: S3Address, bytes: number, signal: AbortSignal) {
  const stored = await client.send(new sdk.HeadObjectCommand(at), { abortSignal: signal });
  if (stored.ContentLength === bytes) return;
  throw new FluxError('archive-corrupt', `The bucket ${at.Bucket} stored something other than what was sent`, {
    facts: { bucket: at.Bucket, key: at.Key, sentBytes: bytes, storedBytes: stored.ContentLength },
  });
}
