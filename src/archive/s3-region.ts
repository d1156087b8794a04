import { errorField, s3Answer } from './s3-errors.ts';

/** Answers to a request for a bucket that is in another region, or that was signed for one. */
const ELSEWHERE = new Set(['PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed']);
const HOST_OF_AWS = /(?:^|[./-])s3[.-]([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com/;

/** The region that an answer sends us to; undefined where it sends us nowhere, or does not tell. */
export function regionToldBy(thrown: unknown): string | undefined {
  const { name, status, headers } = s3Answer(thrown);
  if (status !== 301 && status !== 307 && !ELSEWHERE.has(name)) return undefined;
  return (
    headers['x-amz-bucket-region'] ??
    errorField(thrown, 'Region') ??
    HOST_OF_AWS.exec(errorField(thrown, 'Endpoint') ?? headers.location ?? '')?.[1]
  );
}
