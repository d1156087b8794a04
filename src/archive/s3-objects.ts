import type { ObjectCannedACL, PutObjectCommandInput, ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { isPicture } from './layout.ts';

/** What objects are stored with, for buckets whose policy demands it. */
export type ObjectOptions = {
  encryption?: Extract<ServerSideEncryption, 'AES256' | 'aws:kms'> | undefined;
  /** Of `aws:kms`: an id, an ARN or an alias; without it the bucket's or the account's own key. */
  kmsKeyId?: string | undefined;
  acl?: ObjectCannedACL | undefined;
  storageClass?: string | undefined;
  /** Of images and thumbnails only. All else is written anew under its key. */
  cacheControl?: string | undefined;
};

export type ObjectParameters = Pick<
  PutObjectCommandInput,
  'ServerSideEncryption' | 'SSEKMSKeyId' | 'ACL' | 'StorageClass' | 'CacheControl'
>;

/** Servers have classes of their own beside those that the SDK knows. */
const storageClassSchema = z.custom<StorageClass>((value) => typeof value === 'string');

/** The parameters of an upload to a key. */
export function objectParameters(options: ObjectOptions = {}): (key: string) => ObjectParameters {
  const { encryption, kmsKeyId, acl, storageClass, cacheControl } = options;
  const all: ObjectParameters = {
    ...(encryption !== undefined && { ServerSideEncryption: encryption }),
    ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    ...(acl !== undefined && { ACL: acl }),
    ...(storageClass !== undefined && { StorageClass: storageClassSchema.parse(storageClass) }),
  };
  return (key) => (cacheControl !== undefined && isPicture(key) ? { ...all, CacheControl: cacheControl } : all);
}
