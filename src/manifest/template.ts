/** Text with holes: `texts[0] names[0] texts[1] names[1] …`, one text more than names. */
export type Template = { readonly texts: readonly string[]; readonly names: readonly string[] };

export type Variables = Readonly<Record<string, string>>;

/** A text that wants to be a template; whether it is a right one only `parseTemplate` knows. */
export const TEMPLATE = /\{\{/;

export const VARIABLE_NAME = /^(?!__proto__$)[^{}\s]([^{}\n]*[^{}\s])?$/;

/**
 * Parses `A {{ color }} teapot`. Only `{{` opens; a `}}` alone is text, since prompts in JSON end that way. A literal
 * `{{` can come from a matrix value or a row, which are never rendered again. Answers what is wrong as a string.
 */
export function parseTemplate(text: string): Template | string {
  const texts: string[] = [];
  const names: string[] = [];
  let from = 0;
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', from)) {
    const close = text.indexOf('}}', open);
    if (close === -1) return `"{{" is never closed by "}}" in ${excerpt(text, open)}`;
    const name = text.slice(open + 2, close).trim();
    if (name === '') return `no variable between "{{" and "}}" in ${excerpt(text, open)}`;
    if (/[{}\n]/.test(name)) return `"{{" is not closed before the next brace or line in ${excerpt(text, open)}`;
    texts.push(text.slice(from, open));
    names.push(name);
    from = close + 2;
  }
  texts.push(text.slice(from));
  return { texts, names };
}

/** The variables that are used and missing; empty when `render` can go ahead. */
export function missing(template: Template, variables: Variables): string[] {
  return template.names.filter((name) => !Object.hasOwn(variables, name));
}

export function render({ texts, names }: Template, variables: Variables): string {
  let text = texts[0] ?? '';
  for (let hole = 0; hole < names.length; hole++) {
    text += (variables[names[hole] ?? ''] ?? '') + (texts[hole + 1] ?? '');
  }
  return text;
}

/** Variables named in single braces, as other tools write them: `A {color} teapot` would be drawn with its braces. */
export function singleBraced({ texts }: Template, known: Iterable<string>): string[] {
  const plain = texts.join(' ');
  return [...known].filter((name) => plain.includes(`{${name}}`) || plain.includes(`{ ${name} }`));
}

function excerpt(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 30));
}
