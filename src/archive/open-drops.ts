import type { DropPlace } from './drops.ts';
import { folderDrops } from './folder-drops.ts';
import type { S3Settings } from './s3-client.ts';
import { s3Drops } from './s3-drops.ts';
import { parseArchiveUrl } from './url.ts';

/** Opens the inbox that a URL or a path names, without connecting to it yet. Throws a UsageError (`archive-url-invalid`). */
export function openDrops(settings: S3Settings): DropPlace {
  const place = parseArchiveUrl(settings.url);
  return place.kind === 's3' ? s3Drops(settings) : folderDrops(place.path);
}
