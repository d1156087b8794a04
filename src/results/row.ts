import type { ItemRecord } from '../items/record.ts';
import { type Found, isReadable, type Unreadable } from '../items/unreadable.ts';

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
] as const satisfies readonly (keyof Row)[];

export type Row = {
  id: string;
  name: string;
  state: Found['state'];
  prompt: string;
  model: string;
  aspectRatio: string | null;
  outputFormat: string;
  inputImage: string | null;
  /** 1-based. */
  variant: number;
  /** JSON: an object of matrix values and row columns. */
  variables: string;
  /** Keys in the archive. */
  image: string | null;
  thumb: string | null;
  width: number | null;
  height: number | null;
  bytes: number | null;
  contentType: string | null;
  sha256: string | null;
  /** Which URL served the image: `origin`, `stored` or `link`. */
  source: string | null;
  taskId: string | null;
  attempts: number;
  failureClass: string | null;
  failureCode: number | null;
  failureMessage: string | null;
  /** Times are UTC, ISO 8601. */
  queued: string;
  submitted: string | null;
  completed: string | null;
  discovered: string | null;
  archived: string | null;
};

export function rowOf(found: Found): Row {
  return isReadable(found) ? rowOfRecord(found) : rowOfUnreadable(found);
}

/** What is not known is empty, or 0 where a number is promised. */
function rowOfUnreadable({ id, state, message, taskId }: Unreadable): Row {
  return {
    ...{ id, name: id, state, prompt: '', model: '', aspectRatio: null, outputFormat: '', inputImage: null },
    ...{ variant: 0, variables: '{}', image: null, thumb: null, width: null, height: null, bytes: null },
    ...{ contentType: null, sha256: null, source: null, taskId: taskId ?? null, attempts: 0 },
    ...{ failureClass: 'record-corrupt', failureCode: null, failureMessage: message },
    ...{ queued: '', submitted: null, completed: null, discovered: null, archived: null },
  };
}

function rowOfRecord(record: ItemRecord): Row {
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
    outputFormat: request.outputFormat,
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
  };
}
