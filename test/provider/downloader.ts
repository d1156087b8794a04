import { onTestFinished } from 'vitest';
import { type DownloadOptions, type DownloadSettings, httpDownload } from '../../src/provider/download.ts';
import { type RawServer, rawServer } from './raw-server.ts';

export const IMAGE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 128, 10]);

export function downloader(settings: Partial<DownloadSettings> = {}) {
  const { download, close } = httpDownload({
    allow: ['127.0.0.1'],
    userAgent: 'flux-batch/0.0.0-test',
    maxRedirects: 3,
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: 20_000,
    ...settings,
  });
  onTestFinished(close);
  return (url: string, options: Partial<DownloadOptions> = {}) => download(url, { maxBytes: 1_000, ...options });
}

export function answering(...answers: Buffer[]): Promise<RawServer> {
  return rawServer((socket, _request, nth) => socket.write(answers[Math.min(nth, answers.length) - 1] ?? ''));
}
