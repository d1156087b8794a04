import { taskIdIn } from '../items/task-id.ts';

/** The id of the task that ended, which is all that we read of a callback. Undefined if the text is not a callback. */
export function taskIdOfBody(text: string): string | undefined {
  try {
    return taskIdIn(JSON.parse(text), text);
  } catch {
    return undefined;
  }
}
