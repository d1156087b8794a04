// The package as a library. As `bin/` does for the command line, this puts `src` and `workers` together.
import type { FluxBatch, OpenOptions, Settings } from './src/library/flux-batch.ts';
import { openWith } from './src/library/open.ts';
import { startFleet } from './workers/fleet.ts';

export { FluxError, UsageError } from './src/errors.ts';
export type {
  Enqueued,
  EnqueueOptions,
  FluxBatch,
  FollowOptions,
  OpenOptions,
  Progress,
  ResultRow,
  ResultsOptions,
  Settings,
  Workers,
} from './src/library/flux-batch.ts';
export { type LoadedManifest, loadManifest } from './src/library/load-manifest.ts';
export { ManifestError, type Problem } from './src/manifest/problems.ts';

/**
 * Opens what a batch needs by settings of the names that the environment has, and by nothing else: `openFluxBatch(process.env)` takes
 * the environment, after `process.loadEnvFile()` also `.env`. Only S3 credentials are looked for by the AWS SDK as ever.
 * It never exits, prints or listens to signals. Throws a UsageError (`config-invalid`).
 */
export function openFluxBatch(settings: Settings = {}, options: OpenOptions = {}): FluxBatch {
  return openWith(startFleet, settings, options);
}
