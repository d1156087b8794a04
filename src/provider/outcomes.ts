import { z } from 'zod';
import { type Answer, describeUnreadable, readEnvelope } from './envelope.ts';
import type { CreditsOutcome, LinkOutcome, SubmitOutcome } from './provider.ts';
import { refusedBy } from './refusal.ts';

const taskSchema = z.object({ taskId: z.string().refine((id) => id.trim() !== '') });

/**
 * Reads the answer to a submit, by "Unknown outcomes of a submit" of the API notes. Accepted: only code 200 with a task
 * id. Refused: only a code that is known to refuse. Everything else is unknown, and may have been charged.
 */
export function submitOutcome(answer: Answer, now: number): SubmitOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 200) {
    const task = taskSchema.safeParse(read.data);
    if (task.success) return { kind: 'accepted', taskId: task.data.taskId };
    return { kind: 'unknown', code: 200, message: 'code 200 without a task id' };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  if (read.kind === 'unreadable') return { kind: 'unknown', message: describeUnreadable(answer, read) };
  return { kind: 'unknown', code: read.code, message: read.message };
}

/** Reads the answer to `POST /api/v1/common/download-url`: the envelope's `data` is the link itself. */
export function linkOutcome(answer: Answer, now: number): LinkOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 404) return { kind: 'not-found', message: read.message };
  if (read.kind === 'envelope' && read.code === 200) {
    const url = webUrl(read.data);
    return url === undefined ? { kind: 'unreachable', message: 'code 200 without a link' } : { kind: 'link', url };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  return { kind: 'unreachable', message: read.kind === 'envelope' ? read.message : describeUnreadable(answer, read) };
}

/** Reads the answer to `GET /api/v1/chat/credit`: the envelope's `data` is the number of remaining credits. */
export function creditsOutcome(answer: Answer, now: number): CreditsOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 200) {
    const credits = finiteNumber(read.data);
    return credits === undefined
      ? { kind: 'unreachable', message: 'code 200 without a number of credits' }
      : { kind: 'credits', credits };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  return { kind: 'unreachable', message: read.kind === 'envelope' ? read.message : describeUnreadable(answer, read) };
}

/** The value if it is an absolute http or https URL. */
export function webUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value.trim()) || !URL.canParse(value.trim())) return undefined;
  return value.trim();
}

/** The value if it is a number, or a string that contains one. */
export function finiteNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
