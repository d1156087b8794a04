import { envelope, json } from '../answer.ts';
import type { Telling } from '../record-info.ts';
import { resultOf } from './bfl.ts';
import { jobRecord, noRecord, resultJsonOf } from './kie-jobs.ts';

/** `GET /api/v1/jobs/recordInfo`: the result is text that holds JSON; an object has been met. */
export const JOBS_TELLING: Telling = {
  refuse: (code, msg) => envelope(code, msg),
  unknown: noRecord,
  tell(task, _urls, fault, stored) {
    const isGood = task.endedAt !== undefined && task.ending.flag === 1;
    const result = () => {
      switch (fault) {
        case 'response-string':
          return { resultUrls: stored };
        case 'response-null':
          return null;
        case 'other-url-names':
          return JSON.stringify({ pictures: stored });
        case 'success-without-url':
          return '';
        case undefined:
          return resultJsonOf(stored);
      }
    };
    return envelope(200, 'success', jobRecord(task, isGood ? result() : ''));
  },
};

/** A polling URL of Black Forest Labs. */
export const BFL_TELLING: Telling = {
  refuse: (code, msg) => json({ detail: msg }, code),
  unknown: (id) => resultOf(undefined, id, null),
  tell(task, { originImageUrl }, fault) {
    const sample = fault === undefined || fault === 'response-string' ? originImageUrl : null;
    return resultOf(task, task.id, sample);
  },
};
