import type { Account } from './account.ts';
import { type Answer, envelope, json, page } from './answer.ts';
import { type Dialect, KONTEXT } from './dialect.ts';
import { type Faults, SUBMIT_FAULTS } from './faults.ts';
import { inputsIn, withoutInline } from './input-urls.ts';
import type { createInputs } from './inputs.ts';
import type { SubmitSeen } from './ledger.ts';
import type { Settings } from './options.ts';
import { type Generate, isCensored } from './parameters.ts';
import type { RateWindow } from './rate-window.ts';
import { retryAfterHeader } from './retry-after.ts';
import type { Ending, Task, Tasks } from './tasks.ts';

const UNFETCHED: Ending = { flag: 3, errorCode: 501, errorMessage: 'failed to fetch the input image' };

type SubmitFault = (typeof SUBMIT_FAULTS)[number];
type DrawnFault = { name: SubmitFault; charged: boolean | undefined };

export type SubmitPorts = {
  settings: Settings;
  tasks: Tasks;
  account: Account;
  takeSlot: RateWindow;
  faults: Faults;
  write: (seen: SubmitSeen) => void;
  /** Where the image of a task is. */
  urlOf: (task: Task) => string;
  dialect?: Dialect;
  inputs: ReturnType<typeof createInputs>;
};

/** A submit in one of the APIs. The caller's key is checked already. `model`: as the path names it, where that does. */
export function createSubmit({
  settings,
  tasks,
  account,
  takeSlot,
  faults,
  write,
  inputs,
  dialect = KONTEXT,
  urlOf,
}: SubmitPorts) {
  let lastTask: Task | undefined;
  return function submit(body: string, at: number, inPath?: string): Answer {
    const checked = dialect.check(body, inPath, settings);
    const isFirst = !checked.ok || tasks.takesOf(checked.requestKey) === 0;
    const fault = faults.draw(SUBMIT_FAULTS, isFirst);
    if (fault && !isAccepting(fault)) {
      const answer = refusalBy(fault.name, settings, at, dialect);
      write({ at, decision: 'fault', code: codeOf(fault.name), fault: fault.name });
      return answer;
    }

    const refuse = (decision: SubmitSeen['decision'], code: number, msg: string): Answer => {
      write({ at, decision, code });
      return dialect.refuse(code, msg);
    };
    // The rate limit comes before the parameters: an invalid request takes a slot too.
    const waitMs = takeSlot(at);
    if (waitMs > 0) {
      const answer = refuse('rate-limited', 429, 'rate limit exceeded, the request was not queued');
      return { ...answer, headers: { ...answer.headers, ...retryAfterHeader(settings.retryAfter, waitMs, at) } };
    }
    if (!checked.ok) return refuse('invalid', checked.code, checked.msg);
    const { paramJson, requestKey, request, credits } = checked;
    const model = inPath ?? request.model;
    const known = checked.key === undefined ? undefined : tasks.findByKey(checked.key);
    if (known) {
      write({ at, decision: 'replayed', code: 200, taskId: known.id });
      return dialect.accept(known);
    }
    const isFull =
      tasks.running() >= settings.maxTasks || tasks.runningOf(model) >= (dialect.mostOf?.(model) ?? Infinity);
    if (isFull) return refuse('too-many-tasks', 429, 'too many running tasks');
    if (!account.charge(credits)) return refuse('no-credits', 402, 'insufficient credits');

    const images = inputsIn(body);
    const fetched = async (taskId: string) => ((await inputs.take(images, taskId)) ? undefined : UNFETCHED);
    const ending = endingOf(request, faults, isFirst);
    const isNumbered = fault?.name === 'id-number';
    const before = lastTask;
    const task = tasks.accept({
      ...{ api: dialect.api, told: withoutInline(body), model, paramJson, requestKey, credits },
      ...{ acceptedAt: at, ending, isNumbered, isInstant: checked.isInstant === true },
      ...(checked.key !== undefined && { key: checked.key }),
      ...(checked.images !== undefined && { images: checked.images }),
      ...(images.length > 0 && settings.inputCheck === 'in-task' && { before: fetched }),
    });
    if (task.endedAt !== undefined) task.quickUrl = urlOf(task);
    lastTask = task;
    write({ at, decision: 'accepted', code: 200, taskId: task.id, ...(fault && { fault: fault.name }) });
    if (fault?.name === 'repeated-task-id') return dialect.accept(before ?? task);
    return fault ? acceptanceWithFault(fault.name, task, settings, dialect) : dialect.accept(task);
  };
}

/** A submit that fetches its pictures first, and refuses what it cannot fetch. */
export function createCheckedSubmit(ports: SubmitPorts) {
  const submit = createSubmit(ports);
  if (ports.settings.inputCheck === 'in-task') return submit;
  return async (body: string, at: number, inPath?: string): Promise<Answer> => {
    if (await ports.inputs.take(inputsIn(body), null)) return submit(body, at, inPath);
    ports.write({ at, decision: 'invalid', code: 422 });
    return (ports.dialect ?? KONTEXT).refuse(422, 'The input image could not be fetched');
  };
}

/** By default, a fault that leaves the outcome unknown comes after the task was accepted. */
function isAccepting({ name, charged }: DrawnFault): boolean {
  switch (name) {
    case '429-storm':
    case '401':
    case '402':
    case '455':
      return false;
    case '500-http':
    case 'code-500':
      return charged ?? false;
    case 'empty-body':
    case 'html-body':
    case 'truncated-body':
    case 'no-task-id':
    case 'reset-after-accept':
    case 'slow-answer':
    case 'id-snake-case':
    case 'id-number':
    case 'id-at-top':
    case 'code-text':
    case 'code-zero':
    case 'other-answer':
    case 'repeated-task-id':
      return charged ?? true;
  }
}

function codeOf(name: SubmitFault): number {
  return Number.parseInt(name, 10) || 500;
}

function refusalBy(name: SubmitFault, settings: Settings, at: number, { refuse }: Dialect): Answer {
  switch (name) {
    case '429-storm': {
      const answer = refuse(429, 'rate limit exceeded, the request was not queued');
      const retryAfter = retryAfterHeader(settings.retryAfter, settings.rate.windowMs, at);
      return { ...answer, headers: { ...answer.headers, ...retryAfter } };
    }
    case '401':
      return refuse(401, 'unauthorized');
    case '402':
      return refuse(402, 'insufficient credits');
    case '455':
      return refuse(455, 'service is under maintenance');
    default:
      return ambiguousAnswer(name, refuse(500, 'internal error'), settings, refuse);
  }
}

function acceptanceWithFault(name: SubmitFault, task: Task, settings: Settings, { accept, refuse }: Dialect): Answer {
  switch (name) {
    case 'id-snake-case':
      return envelope(200, 'success', { task_id: task.id });
    case 'id-number':
      return { ...accept(task), body: `{"code":200,"msg":"success","data":{"taskId":${task.id}}}` };
    case 'id-at-top':
      return json({ taskId: task.id, status: 'accepted' });
    case 'code-text':
      return json({ code: '200', msg: 'success', data: { taskId: task.id } });
    case 'code-zero':
      return json({ code: 0, msg: 'ok', data: { taskId: task.id } });
    case 'other-answer':
      return json({ status: 'queued', job: { reference: task.id } });
    default:
      return ambiguousAnswer(name, accept(task), settings, refuse);
  }
}

/** Answers that do not tell whether a task exists. */
function ambiguousAnswer(name: SubmitFault, truth: Answer, settings: Settings, refuse: Dialect['refuse']): Answer {
  switch (name) {
    case '500-http':
      return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'Internal Server Error' };
    case 'code-500':
      return refuse(500, 'internal error');
    case 'empty-body':
      return { ...truth, body: '' };
    case 'html-body':
      return page(200, 'Just a moment...');
    case 'truncated-body':
      return { ...truth, body: String(truth.body).slice(0, -12) };
    case 'no-task-id':
      return envelope(200, 'success', {});
    case 'reset-after-accept':
      return { ...truth, sendFault: 'reset' };
    case 'slow-answer':
      return { ...truth, delayMs: settings.slowAnswerMs };
    default:
      return truth;
  }
}

function endingOf(request: Generate, faults: Faults, isFirst: boolean): Ending {
  if (isCensored(request.prompt)) return { flag: 3, errorCode: 400, errorMessage: 'content policy violation' };
  const fault = faults.draw(['flag-2', 'flag-3'], isFirst);
  if (fault?.name === 'flag-2') return { flag: 2, errorCode: 500, errorMessage: 'failed to create the task' };
  if (fault?.name === 'flag-3') return { flag: 3, errorCode: 501, errorMessage: 'image generation failed' };
  return { flag: 1 };
}
