// The library entry. It joins `src` and `workers`, as `bin/` does for the command line.
import type { FluxBatch, OpenOptions, Settings } from './src/library/flux-batch.ts';
import { openWith } from './src/library/open.ts';
import { startFleet } from './workers/fleet.ts';

export type { Outlook } from './src/batch/counts.ts';
export type { Diagnosis, Finding, Kind, Severity } from './src/diagnosis/finding.ts';
export { FluxError, UsageError } from './src/errors.ts';
export type { Item, NewItem } from './src/items/item.ts';
export type { ItemState } from './src/items/item-state.ts';
export type {
  Enqueued,
  EnqueueOptions,
  FluxBatch,
  FollowOptions,
  OpenOptions,
  Planned,
  Progress,
  ResultRow,
  ResultsOptions,
  Settings,
  Workers,
} from './src/library/flux-batch.ts';
export { type LoadedManifest, loadManifest } from './src/library/load-manifest.ts';
export { ManifestError, type Problem } from './src/manifest/problems.ts';
export type { Question } from './src/plan/questions.ts';
export type { Row } from './src/results/row.ts';
export type { FurtherImage, MissedImage } from './src/results/row-images.ts';
export type { WorkerStage } from './src/wiring/fleet.ts';

/**
 * Opens everything that a batch needs. Settings have the names of the environment variables, but the environment is not
 * read: pass `process.env`, after `process.loadEnvFile()` if `.env` counts too. The one exception is S3 credentials, which
 * the AWS SDK finds by itself. The library never exits, prints or listens to signals. Throws a UsageError
 * (`config-invalid`).
 */
export function openFluxBatch(settings: Settings = {}, options: OpenOptions = {}): FluxBatch {
  return openWith(startFleet, settings, options);
}
