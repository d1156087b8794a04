import type { ImageRequest } from './item.ts';

/**
 * Whether a task was started for another request than this, by the prompt that the provider's answer repeats. There is no verdict, which is
 * false, where the provider may have reworded it (translation is on unless the request says no; upsampling), and where one of the two
 * contains the other, as when it was cut or something was added. Only ASCII letters and digits are compared: whatever became of the
 * others on their way, they are no proof.
 */
export function isForAnother({ prompt, enableTranslation, promptUpsampling }: ImageRequest, repeated: string): boolean {
  if (enableTranslation !== false || promptUpsampling === true) return false;
  const [ours, theirs] = [lettersOf(prompt), lettersOf(repeated)];
  return !ours.includes(theirs) && !theirs.includes(ours);
}

const ESCAPES = /\\u[0-9a-f]{4}|\\[nrt]|&(?:#\w+|\w+);/gi;

function lettersOf(text: string): string {
  return text
    .replaceAll(ESCAPES, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
}
