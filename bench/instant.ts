import type { Archive } from '../src/archive/archive.ts';
import type { Download } from '../src/provider/download.ts';
import type { Provider } from '../src/provider/provider.ts';

/** An archive that keeps nothing, so that only the orchestration is measured. What is to be fed is read from the real one. */
export const emptyArchive = ({ url, readPart }: Archive): Archive => ({
  url,
  prepare: async () => {},
  examine: async () => ({ isThere: true, conditional: true, removes: true }),
  read: async () => undefined,
  readVersioned: async () => undefined,
  readPart,
  write: async () => {},
  create: async () => 'version',
  replace: async () => 'version',
  begin: async () => ({ append: async () => {}, commit: async () => {}, discard: async () => {} }),
  async *list() {},
  marks: async () => {},
  readMarked: async () => undefined,
  markOf: () => undefined,
  remove: async () => {},
  tidy: async () => 0,
  close: async () => {},
});

const NOTHING_OF = /\/(images|thumbs|refused)\//;

/** An archive that keeps records, segments and index, and no pictures: so that a million items fit onto a machine. */
export function recordsOnly(archive: Archive): Archive {
  return {
    ...archive,
    write: async (key, body, options) => {
      if (!NOTHING_OF.test(key)) await archive.write(key, body, options);
    },
  };
}

export type Requests = { read: number; write: number; list: number };

/** Counts what is asked of an archive. */
export function countedArchive(archive: Archive, requests: Requests): Archive {
  const counted =
    <Args extends unknown[], Result>(kind: keyof Requests, run: (...args: Args) => Result) =>
    (...args: Args): Result => {
      requests[kind] += 1;
      return run(...args);
    };
  return {
    ...archive,
    read: counted('read', archive.read),
    readVersioned: counted('read', archive.readVersioned),
    readMarked: counted('read', archive.readMarked),
    readPart: counted('read', archive.readPart),
    write: counted('write', archive.write),
    create: counted('write', archive.create),
    replace: counted('write', archive.replace),
    list: counted('list', archive.list),
    marks: counted('list', archive.marks),
  };
}

/** A provider whose tasks have ended when they begin. */
export function instantProvider(): Provider {
  let tasks = 0;
  return {
    async submit(_request, { onSent } = {}) {
      onSent?.();
      tasks += 1;
      return { kind: 'accepted', handle: `task-${process.pid}-${tasks}` };
    },
    poll: async () => ({
      kind: 'succeeded',
      sources: [{ kind: 'origin', url: 'http://127.0.0.1/image.png', lifeMs: 600_000 }],
      completedAt: Date.now(),
    }),
    link: async () => ({ kind: 'unreachable', message: 'never asked' }),
    credits: async () => ({ kind: 'credits', credits: 1_000_000_000 }),
    close: async () => {},
  };
}

/** A red pixel: what it costs to decode is taken out by no-decode.ts. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);
export const instantDownload: Download = async () => ({ kind: 'body', body: PIXEL, contentType: 'image/png' });
