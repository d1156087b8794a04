import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { startS3 } from '../test/services/s3.ts';
import type { ArchiverInput, ArchiverResult } from './archiver.ts';
import type { Bench } from './bench.ts';
import { startMember, watched } from './children.ts';
import { median, times } from './measure.ts';
import type { PictureProvider } from './picture-provider.ts';

const AT_ONCE = 8;
type Copied = { wallMs: number; cpuMs: number };

/** Images of 2 MB from a web server to Ceph, against rclone, which copies and does not look. */
export const archiveBench: Bench = {
  name: 'archive',
  async run({ quick }) {
    if (spawnSync('rclone', ['version']).status !== 0) throw new Error('Install rclone: apt install rclone');
    const images = quick ? 40 : 200;
    const s3 = await startS3();
    const source = await startMember('picture-provider', { format: 'png', bytes: 2_000_000, listed: images });
    const { url: sourceUrl, bytes } = source.ready as PictureProvider;
    const { endpoint, accessKeyId, secretAccessKey } = s3;
    const common: ArchiverInput = {
      archive: {
        url: 's3://bench/ours',
        endpoint,
        forcePathStyle: true,
        credentials: { accessKeyId, secretAccessKey },
        maxSockets: 64,
      },
      sourceUrl,
      format: 'png',
      images,
      atOnce: AT_ONCE,
      verify: true,
      thumbnails: false,
    };
    const rounds: Record<'rclone' | 'verified' | 'thumbnails' | 'copied', Copied[]> = {
      rclone: [],
      verified: [],
      thumbnails: [],
      copied: [],
    };
    try {
      for (let round = 0; round < (quick ? 2 : 5); round++) {
        rounds.verified.push(await ours(common));
        rounds.rclone.push(await rclone(sourceUrl, s3));
        rounds.thumbnails.push(await ours({ ...common, thumbnails: true }));
        rounds.copied.push(await ours({ ...common, verify: false }));
      }
    } finally {
      await source.stop();
      await s3.stop();
    }
    const ratio = (some: Copied[], of: (copied: Copied) => number) =>
      median(some.map((copied, round) => of(rounds.rclone[round] ?? copied) / of(copied)));
    const cpu = ratio(rounds.verified, ({ cpuMs }) => cpuMs);
    const wall = ratio(rounds.verified, ({ wallMs }) => wallMs);
    const each = (some: Copied[]) => `${(median(some.map(({ cpuMs }) => cpuMs)) / images).toFixed(1)} ms`;
    const rows = [
      {
        what: `archive: ${(bytes / 1e6).toFixed(1)} MB PNG to Ceph, verified, against rclone copy`,
        target: '≥ 1 × a core-second',
        measured: `${times(cpu)}, wall ${times(wall)}; processor an image: ours ${each(rounds.verified)}, without verifying ${each(rounds.copied)}, rclone ${each(rounds.rclone)}`,
        met: cpu >= 1,
      },
    ];
    return { rows, data: { images, bytes, rounds } };
  },
};

async function ours(input: ArchiverInput): Promise<Copied> {
  const member = await startMember<ArchiverResult>('archiver', input);
  const { wallMs, cpuMs } = await member.stop();
  return { wallMs, cpuMs };
}

export async function rclone(
  sourceUrl: string,
  s3: { endpoint: string; accessKeyId: string; secretAccessKey: string },
): Promise<Copied> {
  const command = `TIMEFORMAT='%R %U %S'; time rclone copy web: there:bench/rclone --transfers ${AT_ONCE} --ignore-times -q`;
  const child = watched(
    spawn('bash', ['-c', command], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        // rclone's transport cannot take it.
        AWS_CA_BUNDLE: undefined,
        RCLONE_CONFIG: '/dev/null',
        RCLONE_CONFIG_WEB_TYPE: 'http',
        RCLONE_CONFIG_WEB_URL: `${sourceUrl}/dir/`,
        RCLONE_CONFIG_THERE_TYPE: 's3',
        RCLONE_CONFIG_THERE_PROVIDER: 'Ceph',
        RCLONE_CONFIG_THERE_ENDPOINT: s3.endpoint,
        RCLONE_CONFIG_THERE_ACCESS_KEY_ID: s3.accessKeyId,
        RCLONE_CONFIG_THERE_SECRET_ACCESS_KEY: s3.secretAccessKey,
      },
    }),
  );
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  const [wall = 0, user = 0, system = 0] = said.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (code !== 0) throw new Error(`rclone ended with ${code}: ${said}`);
  return { wallMs: wall * 1_000, cpuMs: (user + system) * 1_000 };
}
