import { escapeMarkup } from '../../text/escape-markup.ts';

/** Markup that is safe to send as it is. Made by `html` only. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | false | undefined | readonly Value[];

/** A template whose values are escaped, but for markup made by it. Lists are joined; `false` and `undefined` are nothing. */
export function html(pieces: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(pieces.reduce((text, piece, index) => text + textOf(values[index - 1]) + piece));
}

function textOf(value: Value): string {
  if (value instanceof Html) return value.text;
  if (value === false || value === undefined) return '';
  if (typeof value === 'object') return value.map(textOf).join('');
  return escapeMarkup(String(value));
}
