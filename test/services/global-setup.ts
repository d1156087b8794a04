import type { TestProject } from 'vitest/node';
import { startRedis } from './redis.ts';
import { startS3 } from './s3.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
    s3: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  }
}

/**
 * One Redis and one S3 server for the whole run, started for the first project that needs them; tests keep apart by unique
 * names. Setups run one after another, and what is given to the root project is given to all.
 */
export default async function setup({ vitest }: TestProject): Promise<() => Promise<void>> {
  const root = vitest.getRootProject();
  if (root.getProvidedContext().redisUrl !== undefined) return async () => {};

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
  root.provide('redisUrl', redis.value.url);
  root.provide('s3', { endpoint, accessKeyId, secretAccessKey });
  return stop;
}
