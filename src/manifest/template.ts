/** Text with placeholders: `texts[0] names[0] texts[1] names[1] …`. There is one more text than names. */
export type Template = { readonly texts: readonly string[]; readonly names: readonly string[] };

export type Variables = Readonly<Record<string, string>>;

/** Recognizes a template. Whether it is well-formed, `parseTemplate` decides. */
export const TEMPLATE = /\{\{/;

export const VARIABLE_NAME = /^(?!__proto__$)[^{}\s]([^{}\n]*[^{}\s])?$/;

/**
 * Parses `A {{ color }} teapot`. Only `{{` starts a placeholder; `}}` alone is text, since prompts in JSON end that
 * way. A literal `{{` can come from a matrix value or a row, which are never rendered again. Returns a message when the
 * template is malformed.
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

/** The variables that the template uses and `variables` lacks. `render` needs this to be empty. */
export function missing(template: Template, variables: Variables): string[] {
  return template.names.filter((name) => !Object.hasOwn(variables, name));
}

export function render({ texts, names }: Template, variables: Variables): string {
  let text = texts[0] ?? '';
  for (let index = 0; index < names.length; index++) {
    text += (variables[names[index] ?? ''] ?? '') + (texts[index + 1] ?? '');
  }
  return text;
}

/** The template as written in the manifest, apart from spaces inside the braces. */
export function templateText(template: Template): string {
  return render(template, Object.fromEntries(template.names.map((name) => [name, `{{ ${name} }}`])));
}

/**
 * Variables in single braces, as other tools write them. In `A {color} teapot` the braces would become part of the
 * prompt.
 */
export function singleBraced({ texts }: Template, known: Iterable<string>): string[] {
  const plain = texts.join(' ');
  return [...known].filter((name) => plain.includes(`{${name}}`) || plain.includes(`{ ${name} }`));
}

function excerpt(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 30));
}
