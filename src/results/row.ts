import { providerOf } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { type Found, isReadable, type Unreadable } from '../items/unreadable.ts';
import { type FurtherImage, imageNoteOf, type MissedImage, severalOf } from './row-images.ts';
import type { Listed, Standing } from './standings.ts';

/** The columns of results.csv and results.jsonl. Their names and order are stable, since scripts depend on them. */
export const COLUMNS = [
  'id',
  'name',
  'state',
  'prompt',
  'model',
  'aspectRatio',
  'outputFormat',
  'inputImage',
  'variant',
  'variables',
  'image',
  'thumb',
  'width',
  'height',
  'bytes',
  'contentType',
  'sha256',
  'source',
  'taskId',
  'attempts',
  'failureClass',
  'failureCode',
  'failureMessage',
  'queued',
  'submitted',
  'completed',
  'discovered',
  'archived',
  'enableTranslation',
  'promptUpsampling',
  'safetyTolerance',
  'uploadCn',
  'watermark',
  'imageNote',
  'refused',
  'current',
  'order',
  'job',
  'file',
  'line',
  'credits',
  'take',
  'note',
  'provider',
  'imageNumber',
] as const satisfies readonly (keyof Row)[];

/** One item of a batch as a row: what was asked for, and what came of it. What is not known, or not yet, is null. */
export type Row = {
  /** Of the item: `<slug of its name>-<12 hex digits>`. */
  id: string;
  /** The rendered `id` of the manifest's job. */
  name: string;
  /** As the item's record in the archive has it; `unreadable` where that cannot be read. */
  state: Found['state'];
  /** As it was sent, templates filled in. */
  prompt: string;
  /** `flux-kontext-pro`, or another model of its provider. */
  model: string;
  /** `16:9`; null: the provider's default. */
  aspectRatio: string | null;
  /** `jpeg`, `png` or `webp`; empty where the model decides. */
  outputFormat: string;
  /** The URL of the image that was to be edited. */
  inputImage: string | null;
  /** 1-based. */
  variant: number;
  /** JSON: an object of matrix values and row columns. */
  variables: string;
  /** The image's key in the archive: `spring/images/hero-0123456789ab.png`. */
  image: string | null;
  /** The key of its small picture. */
  thumb: string | null;
  /** In pixels. */
  width: number | null;
  /** In pixels. */
  height: number | null;
  /** Of the stored image. */
  bytes: number | null;
  /** By its bytes: `image/png`, `image/jpeg`, `image/webp`, `image/gif`, `image/avif` or `image/tiff`. */
  contentType: string | null;
  /** Of the stored image, in hex. */
  sha256: string | null;
  /** Which URL served the image: `origin`, `stored` or `link`. */
  source: string | null;
  /** The provider's task. */
  taskId: string | null;
  /** Submits that went out, or may have. */
  attempts: number;
  /** Why it failed or is held, by classes that docs/troubleshooting.md explains: `content-policy`. */
  failureClass: string | null;
  /** The provider's code, where it gave one. */
  failureCode: number | null;
  /** For people. */
  failureMessage: string | null;
  /** When it was enqueued. Times are UTC, ISO 8601. */
  queued: string;
  /** When the provider took it. */
  submitted: string | null;
  /** When the provider says that the image was done. */
  completed: string | null;
  /** When a poll found that out. */
  discovered: string | null;
  /** When the image was stored. */
  archived: string | null;
  /** Whether it is what its name now stands for; an image of a former prompt, or an earlier take, is not. */
  current: boolean | null;
  /** Its place in the manifest, from 1. What the manifest does not have, or not any more, has none. */
  order: number | null;
  /** The `id` of its job, as the manifest has it. */
  job: string | null;
  /** Where it comes from: the file of rows or prompts, else the manifest. */
  file: string | null;
  /** 1-based, in that file. */
  line: number | null;
  /** As it was sent; null: not sent, the API decides. */
  enableTranslation: boolean | null;
  /** As it was sent. */
  promptUpsampling: boolean | null;
  /** As it was sent. */
  safetyTolerance: number | null;
  /** As it was sent. */
  uploadCn: boolean | null;
  /** As it was sent. */
  watermark: string | null;
  /** What its tasks have cost: as the provider says, and else as was reckoned when they were submitted. */
  credits: number | null;
  /** What is odd about the image, for people: `asked for png, came as jpeg`. */
  imageNote: string | null;
  /** The key in the archive of what came in the place of an image and was not accepted. */
  refused: string | null;
  /** 1, or from 2 on another image of the same request (`redo`). */
  take: number | null;
  /** Of another take: what a person has said of it. */
  note: string | null;
  /** Who made it, or is to; of several that may, the one that has it. Empty where the record cannot be read. */
  provider: string;
  /** Of a task that made several images: which of them this is, from 1. */
  imageNumber: number | null;
  /** The others that are stored. As CSV, Parquet and WebDataset each has a row of its own, with the same `id`. */
  more?: FurtherImage[];
  /** Those that could not be had. */
  lost?: MissedImage[];
};

/** A row for each image. What the task has cost is in the first, so that sums are right. */
export function rowsOfImages({ more = [], lost: _, ...row }: Row): Row[] {
  const others = more.map(({ number, imageNote = null, ...image }) => ({
    ...{ ...row, ...image, imageNote, imageNumber: number },
    credits: null,
  }));
  return [row, ...others];
}

export function rowOf(found: Listed): Row {
  const standing = found.standing ?? UNKNOWN;
  const note = isReadable(found) ? (found.note ?? null) : null;
  const several = isReadable(found) && found.state === 'archived' ? severalOf(found) : {};
  const provider = isReadable(found) ? providerOf(found.request) : '';
  const row = isReadable(found) ? rowOfRecord(found) : rowOfUnreadable(found);
  return { ...row, ...columnsOf(standing), note, provider, imageNumber: null, ...several };
}

const UNKNOWN = { current: null, order: null, job: null, file: null, line: null, credits: null, take: null };

function columnsOf({ current, order, job, file, line, credits, take }: Standing | typeof UNKNOWN) {
  return { current, order, job, file, line, credits, take };
}

type OfStanding = keyof typeof UNKNOWN | 'note' | 'provider' | 'imageNumber';

/** What is not known is empty, or 0 where a number is promised. */
function rowOfUnreadable({ id, state, message, taskId }: Unreadable): Omit<Row, OfStanding> {
  return {
    ...{ id, name: id, state, prompt: '', model: '', aspectRatio: null, outputFormat: '', inputImage: null },
    ...{ variant: 0, variables: '{}', image: null, thumb: null, width: null, height: null, bytes: null },
    ...{ contentType: null, sha256: null, source: null, taskId: taskId ?? null, attempts: 0 },
    ...{ failureClass: 'record-corrupt', failureCode: null, failureMessage: message },
    ...{ queued: '', submitted: null, completed: null, discovered: null, archived: null },
    ...{ enableTranslation: null, promptUpsampling: null, safetyTolerance: null, uploadCn: null, watermark: null },
    ...{ imageNote: null, refused: null },
  };
}

function rowOfRecord(record: ItemRecord): Omit<Row, OfStanding> {
  const image = record.state === 'archived' ? record : undefined;
  const failure = record.state === 'failed' || record.state === 'held' ? record.failure : undefined;
  const { request, timings } = record;
  return {
    id: record.id,
    name: record.name,
    state: record.state,
    prompt: request.prompt,
    model: request.model,
    aspectRatio: request.aspectRatio ?? null,
    outputFormat: request.outputFormat ?? '',
    inputImage: request.inputImage ?? null,
    variant: record.variant,
    variables: JSON.stringify(record.variables),
    image: image?.image ?? null,
    thumb: image?.thumb ?? null,
    width: image?.width ?? null,
    height: image?.height ?? null,
    bytes: image?.bytes ?? null,
    contentType: image?.contentType ?? null,
    sha256: image?.sha256 ?? null,
    source: image?.source ?? null,
    taskId: 'taskId' in record ? (record.taskId ?? null) : null,
    attempts: record.attempts,
    failureClass: failure?.class ?? null,
    failureCode: failure?.code ?? null,
    failureMessage: failure?.message ?? null,
    queued: timings.queued,
    submitted: timings.submitted ?? null,
    completed: timings.completed ?? null,
    discovered: timings.discovered ?? null,
    archived: timings.archived ?? null,
    enableTranslation: request.enableTranslation ?? null,
    promptUpsampling: request.promptUpsampling ?? null,
    safetyTolerance: request.safetyTolerance ?? null,
    uploadCn: request.uploadCn ?? null,
    watermark: request.watermark ?? null,
    imageNote: image ? imageNoteOf(image) : null,
    refused: record.state === 'failed' ? (record.refused?.key ?? null) : null,
  };
}
