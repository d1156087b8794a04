import type { TestProject } from 'vitest/node';
import { startRedis } from './redis.ts';
import { startS3 } from './s3.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
    s3: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  }
}

/** One Redis and one S3 server for the whole run; tests keep apart by unique names. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [redis, s3] = await Promise.allSettled([startRedis(), startS3()]);
  const started = [redis, s3].flatMap((service) => (service.status === 'fulfilled' ? [service.value] : []));
  const stop = async () => {
    await Promise.all(started.map((service) => service.stop()));
  };
  if (redis.status === 'rejected' || s3.status === 'rejected') {
    await stop();
    throw redis.status === 'rejected' ? redis.reason : s3.status === 'rejected' ? s3.reason : undefined;
  }

  const { endpoint, accessKeyId, secretAccessKey } = s3.value;
  project.provide('redisUrl', redis.value.url);
  project.provide('s3', { endpoint, accessKeyId, secretAccessKey });
  return stop;
}
