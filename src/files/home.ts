import { homedir } from 'node:os';

/** Undefined for a user whom the machine does not know, as containers run with any UID, and who has no HOME. */
export function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
