import { escapeMarkup } from '../../text/escape-markup.ts';

/** Markup that is safe to send unescaped. Only `html` and constants of our own create it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | false | undefined | readonly Value[];

/** A template tag that escapes every value except `Html`. It joins lists, and leaves out `false` and `undefined`. */
export function html(pieces: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(pieces.reduce((text, piece, index) => text + textOf(values[index - 1]) + piece));
}

function textOf(value: Value): string {
  if (value instanceof Html) return value.text;
  if (value === false || value === undefined) return '';
  if (typeof value === 'object') return value.map(textOf).join('');
  return escapeMarkup(String(value));
}
