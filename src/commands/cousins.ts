import { UsageError } from '../errors.ts';

/** Commands that people guess, and what does it here. */
const COUSINS: Readonly<Record<string, string>> = {
  validate: 'flux-batch plan jobs.yaml checks a manifest, and names every mistake',
  check: 'flux-batch plan jobs.yaml checks a manifest, flux-batch doctor the set-up',
  lint: 'flux-batch plan jobs.yaml checks a manifest, and names every mistake',
  'dry-run': 'flux-batch plan jobs.yaml shows what a run would do, and spends nothing',
  estimate: 'flux-batch plan jobs.yaml counts, prices and times a manifest',
  cost: 'flux-batch plan jobs.yaml says what a manifest would cost, flux-batch status what a batch has cost',
  list: 'flux-batch status lists the batches, flux-batch results <batch> the items of one',
  ls: 'flux-batch status lists the batches, flux-batch results <batch> the items of one',
  ps: 'flux-batch status lists batches and live workers',
  watch: 'flux-batch status --watch',
  show: 'flux-batch status <batch>, flux-batch results <batch>',
  logs: 'workers log to their own stderr; flux-batch status says what holds a batch up, flux-batch results <batch> --where state=failed what failed',
  credits: 'flux-batch doctor tells the credits of the account, flux-batch status what each batch has cost',
  balance: 'flux-batch doctor tells the credits of the account, flux-batch status what each batch has cost',
  health: 'flux-batch doctor checks the set-up; of a server, GET /readyz',
  test: 'flux-batch doctor checks the set-up, flux-batch simulate stands in for the API',
  start: 'flux-batch run jobs.yaml makes a batch here, flux-batch worker works for a fleet',
  submit: 'flux-batch enqueue jobs.yaml puts a manifest into the queues, flux-batch run jobs.yaml makes it here',
  stop: 'flux-batch pause <batch> stops submitting until resume, flux-batch cancel <batch> for good',
  download: 'flux-batch results <batch> --out <folder> brings the images here',
  export: 'flux-batch results <batch> --format csv lists every item',
  failed: 'flux-batch results <batch> --where state=failed names what failed, flux-batch retry <batch> makes it again',
  unpause: 'flux-batch resume <batch>',
  version: 'flux-batch --version',
};

/** The error for a command that is called otherwise here; undefined for a word that nobody would guess. */
export function cousinOf(word: string): UsageError | undefined {
  if (!Object.hasOwn(COUSINS, word)) return undefined;
  return new UsageError('command-unknown', `There is no command ${word}`, { hint: `Here it is: ${COUSINS[word]}` });
}

/** For `--dry-run` of the commands that spend. */
export function refuseDryRun(file: string): never {
  throw new UsageError('dry-run', 'Nothing was done: there is no --dry-run', {
    hint: `flux-batch plan ${file} shows what a run would do, with the same options, and spends nothing.`,
  });
}
