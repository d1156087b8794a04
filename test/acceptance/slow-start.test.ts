import { expect, onTestFinished, test } from 'vitest';
import { slowDown } from '../services/quirks.ts';
import { startQuirkyS3 } from '../services/quirky-s3.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const ITEMS = 4;

test.each([
  ['every other request', (request: number) => request % 2 === 1],
  ['the first forty requests', (request: number) => request <= 40],
])('`run` waits at its start, too, for an S3 server that answers SlowDown to %s', async (_, isTooMuch) => {
  const { endpoint, credentials } = await startQuirkyS3(slowDown(isTooMuch));
  const place = await openPlace({ onTestFinished });
  const { code, stderr } = await place.run(['run', await place.manifest('slow', promptsFor(ITEMS))], {
    ARCHIVE_URL: 's3://pictures',
    S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  expect(code, stderr).toBe(0);
  expectOneTaskEach(place, ITEMS);
});
