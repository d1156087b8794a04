const VERBS = 'fetch|download|load|access|retriev|reach|open';
const THINGS = 'image|picture|url|file|input';
const UNFETCHABLE = new RegExp(
  `\\b(${VERBS})\\w*\\b.{0,60}\\b(${THINGS})|\\b(${THINGS})\\w*\\b.{0,60}\\b(${VERBS}|expired|not found|404|403)`,
  'i',
);

/**
 * Whether an answer says that an image to start from cannot be fetched. No API documents how it says so: it is known by its words. What
 * hangs on it is only whether a picture is uploaded once more.
 */
export function saysUnfetchable(message: string): boolean {
  return UNFETCHABLE.test(message);
}
