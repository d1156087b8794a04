import { passwordsIn } from '../text/scrub.ts';
import { SECRET_VARIABLES, VARIABLE_NAMES, type Variables } from './variables.ts';

/** Every secret that we know of. Of the AWS SDK's own, those that it takes from the environment. */
export function secretsIn(
  values: Variables,
  { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN }: NodeJS.ProcessEnv,
  ofLanes: readonly string[],
): string[] {
  const own = VARIABLE_NAMES.filter((name) => SECRET_VARIABLES.includes(name)).map((name) => values[name]);
  const { REDIS_URL, FLUX_API_URL, KIE_JOBS_URL, BFL_API_URL, S3_ENDPOINT, ARCHIVE_URL, HTTP_PROXY, HTTPS_PROXY } =
    values;
  const urls = [REDIS_URL, FLUX_API_URL, KIE_JOBS_URL, BFL_API_URL, S3_ENDPOINT, ARCHIVE_URL, HTTP_PROXY, HTTPS_PROXY];
  const all = [...own, ...urls.flatMap(passwordsIn), AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN];
  return [...new Set([...all.filter((secret) => typeof secret === 'string'), ...ofLanes])];
}
