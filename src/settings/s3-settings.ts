import type { Variables } from './variables.ts';

/** The bucket's server, and what objects are stored with. */
export type S3Config = ReturnType<typeof s3Settings>;

export function s3Settings(values: Variables) {
  return {
    endpoint: values.S3_ENDPOINT,
    publicEndpoint: values.S3_PUBLIC_ENDPOINT,
    /** Undefined: nothing was said, and it goes by whether there is an endpoint. */
    forcePathStyle: values.S3_FORCE_PATH_STYLE,
    region: values.AWS_REGION,
    objects: {
      encryption: values.S3_SSE,
      kmsKeyId: values.S3_SSE_KMS_KEY_ID,
      acl: values.S3_ACL,
      storageClass: values.S3_STORAGE_CLASS,
      cacheControl: values.S3_CACHE_CONTROL,
    },
  };
}
