import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { type Config, mayRedraw } from '../config.ts';
import { messageOf } from '../errors.ts';
import { type Notification, notify } from '../notify/notify.ts';
import { say } from '../text/terminal.ts';
import { galleryIn, opener } from './next-steps.ts';
import type { Summary } from './summary.ts';

/** Tells the end of a run beyond its own terminal, whatever the end is. Nothing here fails a run. */
export async function tellEnd(batch: string, { headline, steps, json }: Summary, code: number, config: Config) {
  const hints = steps.filter(({ command }) => command.startsWith('flux-batch')).map(({ command }) => command);
  const ends = code === 0 ? [] : [`exit code ${code}`];
  const text = [headline, ...ends, ...hints].join('\n');
  // There may be thousands of failures: `items` counts them.
  await send({ text, ...json, failures: undefined, batch, exitCode: code }, config);
}

/** The same where a run ends by an error, and has no summary. */
export async function tellFailure(batch: string, error: unknown, code: number, config: Config) {
  await send({ text: `${batch}: stopped: ${messageOf(error)}`, batch, ended: false, exitCode: code }, config);
}

async function send(notification: Notification, { notifyUrl, proxy }: Config): Promise<void> {
  ring();
  if (notifyUrl === undefined) return;
  const why = await notify(notifyUrl, notification, { proxy });
  if (why !== undefined) say(`warning: the end was not told at FLUX_NOTIFY_URL: ${why}`, { level: 'warn' });
}

/** For whoever has walked away from this terminal. */
function ring(): void {
  if (process.stderr.isTTY && mayRedraw()) process.stderr.write('\u0007');
}

/** Opens the gallery of a batch. It does not wait for the program that shows it. */
export async function openGallery(batch: string, archiveUrl: string): Promise<void> {
  const page = galleryIn(archiveUrl, batch);
  if (page === undefined) {
    say(`--open opens galleries in folders: flux-batch results ${batch} --out ${batch} brings it here`);
    return;
  }
  const isThere = await stat(page).then(
    () => true,
    () => false,
  );
  if (!isThere) return say('there is no gallery to open yet');
  const [program = '', ...args] = [...opener(), page];
  const shown = spawn(program, args, { detached: true, stdio: 'ignore' });
  shown.on('error', (error) => say(`the gallery cannot be opened: ${error.message}`));
  shown.unref();
}
