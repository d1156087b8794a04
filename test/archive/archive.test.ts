import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { newBucket, openS3 } from './buckets.ts';
import { keepsTheArchiveContract } from './contract.ts';

describe('a folder archive', () => {
  keepsTheArchiveContract(async () => {
    const parent = await mkdtemp(join(tmpdir(), 'flux-batch-archive-'));
    onTestFinished(() => rm(parent, { recursive: true }));
    const archive = folderArchive(join(parent, 'not', 'there', 'yet'));
    await archive.prepare();
    return archive;
  });
});

describe('an S3 archive', () => {
  keepsTheArchiveContract(async () => {
    const archive = openS3();
    await archive.prepare();
    return archive;
  });
});

describe('an S3 archive under a prefix', () => {
  keepsTheArchiveContract(async () => {
    const archive = openS3({ url: `s3://${newBucket()}/team one/images/` });
    await archive.prepare();
    return archive;
  });
});
