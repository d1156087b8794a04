import { type Answer, envelope } from './answer.ts';
import type { Settings } from './options.ts';
import { checkParameters, type Generate } from './parameters.ts';
import type { Task } from './tasks.ts';

/** A submit, read. `request` and `paramJson` are in the words of Flux Kontext, whatever the API: pictures and the ledger go by them. */
export type Checked =
  | {
      ok: true;
      request: Generate;
      paramJson: string;
      requestKey: string;
      credits: number;
      /** How many are asked for; absent: one. */
      images?: number;
      /** The caller's own: another submit with it is answered with the same task. */
      key?: string;
      isInstant?: boolean;
    }
  | { ok: false; code: number; msg: string };

/** How one of the simulated APIs is spoken: what it takes for a submit, and what it answers. */
export type Dialect = {
  api: Task['api'];
  /** The raw body of a submit, and the model in its path where that is there. */
  check(body: string, model: string | undefined, settings: Settings): Checked;
  refuse(code: number, msg: string): Answer;
  accept(task: Task): Answer;
  /** How many tasks of a model may run at once, where they are fewer than all. */
  mostOf?(model: string): number | undefined;
};

export const KONTEXT: Dialect = {
  api: 'kontext',
  check(body, _model, { prices }) {
    const checked = checkParameters(body);
    if (!checked.ok) return checked;
    return { ...checked, credits: checked.request.model === 'flux-kontext-max' ? prices.max : prices.pro };
  },
  refuse: (code, msg) => envelope(code, msg),
  accept: (task) => envelope(200, 'success', { taskId: task.id }),
};
