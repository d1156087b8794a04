import { type Answer, envelope, page } from './answer.ts';
import { type Faults, POLL_FAULTS, RESPONSE_FAULTS } from './faults.ts';
import type { ImageUrls } from './image-urls.ts';
import type { Counts } from './ledger.ts';
import type { Settings } from './options.ts';
import type { RateWindow } from './rate-window.ts';
import { retryAfterHeader } from './retry-after.ts';
import type { Task, Tasks } from './tasks.ts';

export type RecordInfoPorts = {
  settings: Settings;
  tasks: Tasks;
  takeSlot: RateWindow;
  faults: Faults;
  urls: ImageUrls;
  counts: Counts;
};

/** How an API tells of a task. */
export type Telling = {
  refuse(code: number, msg: string): Answer;
  unknown(id: string): Answer;
  /** `fault`: what is odd about the answer of a success. */
  tell(
    task: Task,
    urls: ReturnType<ImageUrls['of']>,
    fault: ResponseFault | undefined,
    /** Of all its images. */
    stored: readonly string[],
  ): Answer;
};
type ResponseFault = (typeof RESPONSE_FAULTS)[number];

const KONTEXT_TELLING: Telling = {
  refuse: (code, msg) => envelope(code, msg),
  unknown: () => envelope(404, 'task not found'),
  tell: (task, urls, fault) => envelope(200, 'success', recordOf(task, responseOf(task, urls, fault))),
};

/** A status query in one of the APIs. The caller's key is checked already. */
export function createRecordInfo(
  { settings, tasks, takeSlot, faults, urls, counts }: RecordInfoPorts,
  { refuse, unknown, tell }: Telling = KONTEXT_TELLING,
) {
  return function recordInfo(taskId: string | null, at: number): Answer {
    counts.polls += 1;
    const waitMs = takeSlot(at);
    if (waitMs > 0) {
      counts.refused429.polls += 1;
      const answer = refuse(429, 'too many status queries');
      return { ...answer, headers: { ...answer.headers, ...retryAfterHeader(settings.retryAfter, waitMs, at) } };
    }
    if (!taskId) return refuse(422, 'taskId is required');
    const task = tasks.find(taskId);
    if (!task) return unknown(taskId);

    const isFirst = task.polls === 0;
    task.polls += 1;
    switch (faults.draw(POLL_FAULTS, isFirst)?.name) {
      case 'poll-404':
        return unknown(taskId);
      case 'poll-500':
        return envelope(500, 'internal error', null, 500);
      case 'poll-html':
        return page(502, '502 Bad Gateway');
      case 'poll-reset':
        return { ...envelope(200, 'success'), sendFault: 'reset' };
      case undefined:
        return tell(task, urls.of(task), responseFault(task), urls.stored(task));
    }
  };

  function responseFault(task: Task): ResponseFault | undefined {
    if (task.endedAt === undefined || task.ending.flag !== 1) return undefined;
    // Polls end with the first good answer, so `firstOnly` would have no meaning here. `times` and `share` do.
    return faults.draw(RESPONSE_FAULTS, true)?.name;
  }
}

function responseOf(task: Task, response: ReturnType<ImageUrls['of']>, fault: ResponseFault | undefined): unknown {
  if (task.endedAt === undefined || task.ending.flag !== 1) return null;
  switch (fault) {
    case 'response-string':
      return JSON.stringify(response);
    case 'response-null':
      return null;
    case 'other-url-names':
      return { pictures: [response.resultImageUrl] };
    case 'success-without-url':
      return { originImageUrl: '', resultImageUrl: null };
    case undefined:
      return response;
  }
}

function recordOf(task: Task, response: unknown) {
  const { endedAt, ending } = task;
  const failed = endedAt !== undefined && ending.flag !== 1;
  return {
    taskId: task.id,
    paramJson: task.paramJson,
    createTime: new Date(task.acceptedAt).toISOString(),
    completeTime: endedAt === undefined ? null : new Date(endedAt).toISOString(),
    successFlag: endedAt === undefined ? 0 : ending.flag,
    errorCode: failed ? ending.errorCode : null,
    errorMessage: failed ? ending.errorMessage : '',
    response,
  };
}
