import { plain, shorten } from './terminal.ts';

const MOST_OF_MESSAGE = 2_000;
const MOST_OF_EXCERPT = 500;

/** A message of somebody else: well-formed Unicode, which every encoder takes, and no longer than a person reads. */
export function boundedMessage(text: string): string {
  return shorten(text.toWellFormed(), MOST_OF_MESSAGE);
}

/** The beginning of a text that was not understood, on one line, without control characters. */
export function excerptOf(text: string): string {
  return shorten(plain(text.toWellFormed()).replace(/\s+/g, ' ').trim(), MOST_OF_EXCERPT);
}
