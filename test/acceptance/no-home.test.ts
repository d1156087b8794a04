import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startQuirkyS3 } from '../services/quirky-s3.ts';
import { startCli } from './cli.ts';

/** Nobody of this machine. */
const UID = 54_321;

test.skipIf(process.getuid?.() !== 0)(
  'a user whom the machine does not know reads a bucket without HOME (needs root, to become that user)',
  async () => {
    const { endpoint, credentials } = await startQuirkyS3({});
    const cwd = await mkdtemp(join(tmpdir(), 'flux-batch-no-home-'));
    onTestFinished(() => rm(cwd, { recursive: true, force: true, maxRetries: 10 }));
    await chmod(cwd, 0o777);
    const env = {
      PATH: process.env.PATH ?? '',
      ARCHIVE_URL: 's3://pictures',
      S3_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    const run = (args: string[], more = {}) =>
      startCli(args, { cwd, env: { ...env, ...more }, uid: UID, gid: UID }).exit();
    const results = await run(['results', 'spring']);
    expect(results.stderr).toMatch(/^error: .*spring/);
    expect(results.stderr).not.toContain('homedir');
    const home = await run(['results', 'spring'], { ARCHIVE_URL: '~/pictures' });
    expect(home.stderr).toContain('this user has no home folder');
  },
);
