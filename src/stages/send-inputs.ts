import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { INPUT_TYPES, type InputReference, inputReferencesOf, withInputs } from '../items/input-reference.ts';
import type { Picture } from '../provider/provider.ts';
import type { InputSettings, Inputs, PreparedInputs, Uploads } from './inputs.ts';
import type { Ports } from './ports.ts';
import { type Uploaded, uploader } from './upload-inputs.ts';

type Deps = Pick<Ports, 'now' | 'log' | 'archive' | 'provider' | 'faults'> & {
  uploads: Uploads;
  settings: InputSettings;
};

const LATER_MS = 15_000;
/** Base64 of pictures that wait for their slot, in all. One that is larger goes alone. */
const MOST_INLINE_BYTES = 64_000_000;
const FULL_MS = 1_000;

type Sent =
  /** What stands in the request. `bytes`: of memory, while it waits. */
  | { kind: 'text'; text: string; goodUntil: number; isFresh: boolean; bytes: number }
  | Exclude<Uploaded, { kind: 'uploaded' }>;

/**
 * How pictures of one's own come to one account: by a signed URL of the archive where the provider can reach that, else uploaded to
 * the provider's own files, else within the request. None of it is a submit.
 */
export function inputsOf(deps: Deps): Inputs {
  const { now, uploads } = deps;
  const send = sendingOf(deps);
  let inlineBytes = 0;
  const later = (ms: number) => ({ kind: 'later' as const, atMs: now() + ms * (0.75 + Math.random() * 0.5) });

  return {
    async prepare({ batch, request }, signal): Promise<PreparedInputs> {
      const references = inputReferencesOf(request);
      const texts = new Map<string, string>();
      let [goodUntil, isFresh, bytes] = [Infinity, true, 0];
      for (const input of references) {
        const sent = await send(batch, input, signal);
        if (sent.kind === 'not-now') return later(signal.aborted ? 0 : LATER_MS);
        if (sent.kind === 'missing') return missing(input);
        if (sent.kind === 'refused') return sent;
        texts.set(input.reference, sent.text);
        goodUntil = Math.min(goodUntil, sent.goodUntil);
        isFresh &&= sent.isFresh;
        bytes += sent.bytes;
      }
      if (inlineBytes > 0 && bytes > 0 && inlineBytes + bytes > MOST_INLINE_BYTES) return later(FULL_MS);
      inlineBytes += bytes;
      const release = () => {
        inlineBytes -= bytes;
        bytes = 0;
      };
      return { kind: 'ready', request: withInputs(request, texts), goodUntil, isFresh, release };
    },
    async forget(request) {
      for (const { sha256 } of inputReferencesOf(request)) {
        const known = await uploads.find(sha256);
        if (known) await uploads.forget(sha256, known.url);
      }
    },
  };
}

type Send = (batch: string, input: InputReference, signal: AbortSignal) => Promise<Sent>;

function sendingOf({ archive, provider, ...deps }: Deps): Send {
  const sign = signing(archive, deps);
  const upload = provider.upload && uploader({ ...deps, upload: provider.upload });
  const limit = pLimit(2);

  return async (batch, input, signal) => {
    const key = layout.input(batch, input.reference);
    const signed = await sign(key);
    if (signed) return signed;
    const read = async (): Promise<Picture | undefined> => {
      const { sha256, extension } = input;
      const body = await archive.read(key);
      return body && { sha256, extension, contentType: INPUT_TYPES[extension], body };
    };
    if (upload) {
      const uploaded = await upload(input, read, signal);
      return uploaded.kind === 'uploaded' ? { ...uploaded, kind: 'text', text: uploaded.url, bytes: 0 } : uploaded;
    }
    const { inlineOf } = provider;
    if (!inlineOf) return { kind: 'refused', message: 'Its provider takes pictures by their URLs only' };
    return limit(async () => {
      const picture = await read();
      if (!picture) return { kind: 'missing' };
      const text = inlineOf(picture);
      return { kind: 'text', text, goodUntil: Infinity, isFresh: true, bytes: text.length };
    });
  };
}

/** Nothing where the archive signs no URLs, or none that the provider could reach. */
function signing(archive: Archive, { settings, now }: Pick<Deps, 'settings' | 'now'>) {
  const { urls, urlLifeMs, isReachable } = settings;
  /** That is there was seen a while ago. */
  const seen = new LRUCache<string, true>({ max: 10_000, ttl: 600_000 });
  return async (key: string): Promise<Sent | undefined> => {
    if (urls === 'upload' || !archive.presign) return undefined;
    const url = await archive.presign(key, urlLifeMs);
    if (urls === 'auto' && !isReachable(url)) return undefined;
    if (!seen.has(key) && !(await archive.readPart(key, 0, 1))) return { kind: 'missing' };
    seen.set(key, true);
    // Half of its life is the provider's, to fetch it.
    return { kind: 'text', text: url, goodUntil: now() + urlLifeMs / 2, isFresh: true, bytes: 0 };
  };
}

function missing({ reference }: InputReference): PreparedInputs {
  const message = `Its picture ${reference} is not in the archive any more`;
  return { kind: 'refused', message, remedy: 'enqueue its manifest again, which stores it' };
}
