import { createHash } from 'node:crypto';
import type { Counts, InputSeen } from './ledger.ts';
import type { Settings } from './options.ts';

/** Names that are nobody's, as examples and tests have them. */
const NOBODYS = /(^|\.)(example(\.(com|org|net))?|test|invalid)$/i;
const FETCH_WITHIN_MS = 30_000;

export type InputPorts = { settings: Settings; counts: Counts };

/** Fetches what a request is to start from, as a provider does, and writes down what came. */
export function createInputs({ counts }: InputPorts) {
  async function fetched(url: string): Promise<Omit<InputSeen, 'at' | 'taskId'>> {
    const from = url.replace(/\?.*$/s, '');
    const told = { from, signed: from !== url };
    try {
      const response = await fetch(url, {
        headers: { 'user-agent': 'flux-simulator' },
        signal: AbortSignal.timeout(FETCH_WITHIN_MS),
      });
      const body = Buffer.from(await response.arrayBuffer());
      return { ...told, status: response.status, ...contentOf(body, response.ok) };
    } catch {
      return { ...told, status: 0, bytes: 0, sha256: null };
    }
  }

  /** Whether all of them came. */
  async function take(images: readonly string[], taskId: string | null): Promise<boolean> {
    let all = true;
    for (const image of images) {
      const isUrl = /^https?:\/\//i.test(image);
      if (isUrl && NOBODYS.test(new URL(image).hostname)) continue;
      const at = Date.now();
      const seen = isUrl ? await fetched(image) : inline(image);
      counts.inputLog.push({ at, taskId, ...seen });
      all &&= seen.sha256 !== null;
    }
    return all;
  }
  return { take };
}

function inline(image: string): Omit<InputSeen, 'at' | 'taskId'> {
  const body = Buffer.from(image.replace(/^data:[^,]*,/, ''), 'base64');
  return { from: 'inline', signed: false, status: 200, ...contentOf(body, true) };
}

/** What is no picture is as good as nothing. */
function contentOf(body: Buffer, isGood: boolean): { bytes: number; sha256: string | null } {
  const start = body.toString('latin1', 0, 12);
  const isPicture = start.startsWith('\xff\xd8\xff') || start.startsWith('\x89PNG') || /^RIFF.{4}WEBP/s.test(start);
  const sha256 = isGood && isPicture ? createHash('sha256').update(body).digest('hex') : null;
  return { bytes: body.length, sha256 };
}
