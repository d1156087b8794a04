import type { S3Client } from '@aws-sdk/client-s3';

const hosts = new WeakMap<Error, string>();

/** Has each error of a client remember which host it came from: with the bucket in it, that is not the endpoint. */
export function noteHost(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (thrown) {
        if (thrown instanceof Error) hosts.set(thrown, originOf(args.request));
        throw thrown;
      }
    },
    { step: 'finalizeRequest', name: 'noteHost', priority: 'high' },
  );
}

/** `https://host:port` that an error came from; undefined where no request was made. */
export const hostOf = (thrown: unknown) => (thrown instanceof Error ? hosts.get(thrown) : undefined);

function originOf(request: unknown): string {
  const at = (key: string) => String(Reflect.get(Object(request), key) ?? '');
  return `${at('protocol')}//${at('hostname')}${at('port') && `:${at('port')}`}`;
}
