// `npm run package`: packs once, without scripts, and judges the tarball as those who install it will: publint, are-the-types-wrong,
// its size. Needs a build.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** What comes over the wire for `npx flux-batch`, besides its dependencies: code, types and pages, and no picture. */
const MOST_BYTES = 950_000;

const folder = mkdtempSync(join(tmpdir(), 'flux-batch-package-'));
try {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [{ filename, entryCount, unpackedSize }] = JSON.parse(packed);
  const file = join(folder, filename);
  const { size } = statSync(file);
  const kilobytes = (bytes) => `${Math.round(bytes / 1_000)} kB`;
  console.log(`${filename}: ${kilobytes(size)}, ${entryCount} files of ${kilobytes(unpackedSize)} in all`);

  const faults = [];
  if (size > MOST_BYTES) faults.push(`the package is larger than ${kilobytes(MOST_BYTES)}`);
  const { messages, pkg } = await publint({ pack: { tarball: bytesOf(file) }, strict: true });
  for (const message of messages) faults.push(`publint: ${formatMessage(message, pkg)}`);
  console.log(`publint: ${messages.length === 0 ? 'nothing to say' : `${messages.length} remarks`}`);

  const attw = spawnSync('attw', [file, '--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji'], {
    encoding: 'utf8',
  });
  console.log(`are the types wrong: ${attw.status === 0 ? 'no' : 'yes'}`);
  if (attw.status !== 0) faults.push(`are the types wrong:\n${attw.error?.message ?? attw.stdout + attw.stderr}`);

  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function bytesOf(file) {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return buffer.slice(byteOffset, byteOffset + byteLength);
}
