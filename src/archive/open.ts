import type { Archive } from './archive.ts';
import { folderArchive } from './folder.ts';
import { s3Archive } from './s3.ts';
import type { S3Settings } from './s3-client.ts';
import { parseArchiveUrl } from './url.ts';

/**
 * Opens the archive that a URL or a path names, without connecting to it yet. Throws a UsageError
 * (`archive-url-invalid`).
 */
export async function openArchive(settings: S3Settings): Promise<Archive> {
  const place = parseArchiveUrl(settings.url);
  return place.kind === 's3' ? s3Archive(settings) : folderArchive(place.path);
}
