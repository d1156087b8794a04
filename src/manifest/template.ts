/** Text with placeholders: `texts[0] names[0] texts[1] names[1] …`. There is one more text than names. */
export type Template = { readonly texts: readonly string[]; readonly names: readonly string[] };

export type Variables = Readonly<Record<string, string>>;

/** Recognizes a template. Whether it is well-formed, `parseTemplate` decides. */
export const TEMPLATE = /\{\{/;

export const VARIABLE_NAME = /^(?!__proto__$)[^{}\s]([^{}\n]*[^{}\s])?$/;

/** `{{{{` is a literal `{{`. Named by every message about a malformed template. */
const LITERAL = '{{{{';
const HINT = `write ${LITERAL} for a literal "{{"`;

/**
 * Parses `A {{ color }} teapot`. Only `{{` starts a placeholder; `}}` alone is text, since prompts in JSON end that
 * way. `{{{{` is a literal `{{`; one that comes from a matrix value or a row needs no escape, since these are never
 * rendered again. Returns a message when the template is malformed.
 */
export function parseTemplate(text: string): Template | string {
  const texts: string[] = [];
  const names: string[] = [];
  let literal = '';
  let from = 0;
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', from)) {
    if (text.startsWith(LITERAL, open)) {
      literal += `${text.slice(from, open)}{{`;
      from = open + LITERAL.length;
      continue;
    }
    const close = text.indexOf('}}', open);
    if (close === -1) return `"{{" is never closed by "}}" in ${excerpt(text, open)}; ${HINT}`;
    const name = text.slice(open + 2, close).trim();
    if (name === '') return `no variable between "{{" and "}}" in ${excerpt(text, open)}; ${HINT}`;
    if (/[{}\n]/.test(name))
      return `"{{" is not closed before the next brace or line in ${excerpt(text, open)}; ${HINT}`;
    texts.push(literal + text.slice(from, open));
    names.push(name);
    literal = '';
    from = close + 2;
  }
  texts.push(literal + text.slice(from));
  return { texts, names };
}

/** The variables that the template uses and `variables` lacks. `render` needs this to be empty. */
export function missing(template: Template, variables: Variables): string[] {
  return template.names.filter((name) => !Object.hasOwn(variables, name));
}

/** Nothing is longer that is sent to the provider. */
const MAX_RENDERED = 1_000_000;

/** Ends soon after a million characters, which every check refuses: many variables of much text would fill the memory. */
export function render({ texts, names }: Template, variables: Variables): string {
  let text = texts[0] ?? '';
  for (let index = 0; index < names.length && text.length <= MAX_RENDERED; index++) {
    text += (variables[names[index] ?? ''] ?? '') + (texts[index + 1] ?? '');
  }
  return text;
}

/** The template as written in the manifest, apart from spaces inside the braces. */
export function templateText({ texts, names }: Template): string {
  return texts
    .map((text, index) => text.replaceAll('{{', LITERAL) + (index < names.length ? `{{ ${names[index]} }}` : ''))
    .join('');
}

/**
 * Variables in single braces, as other tools write them. In `A {color} teapot` the braces would become part of the
 * prompt.
 */
export function singleBraced({ texts }: Template, known: Iterable<string>): string[] {
  const plain = texts.join(' ').replaceAll('{{', '');
  return [...known].filter((name) => plain.includes(`{${name}}`) || plain.includes(`{ ${name} }`));
}

function excerpt(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 30));
}
