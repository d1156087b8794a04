import { z } from 'zod';

const taskId = z.string().regex(/^[\x21-\x7e]{1,200}$/);

/** All that is read of a callback: which task ended. Published samples name the id both ways. */
const bodySchema = z.object({
  data: z.union([
    z.object({ taskId }).transform((data) => data.taskId),
    z.object({ task_id: taskId }).transform((data) => data.task_id),
  ]),
});

/** Undefined when the text is no callback. */
export function taskIdOfBody(text: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return bodySchema.safeParse(json).data?.data;
}
