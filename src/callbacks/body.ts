import { z } from 'zod';

const taskId = z.string().regex(/^[\x21-\x7e]{1,200}$/);

/** The task id is all that we read of a callback. The provider's published samples spell it both ways. */
const bodySchema = z.object({
  data: z.union([
    z.object({ taskId }).transform((data) => data.taskId),
    z.object({ task_id: taskId }).transform((data) => data.task_id),
  ]),
});

/** The id of the task that ended. Undefined if the text is not a callback. */
export function taskIdOfBody(text: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return bodySchema.safeParse(json).data?.data;
}
