import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  missing,
  parseTemplate,
  render,
  singleBraced,
  type Template,
  templateText,
} from '../../src/manifest/template.ts';

describe('a template', () => {
  it('is filled in, spaces in the braces or not', () => {
    expect(render(parsed('A {{color}} {{  kind of thing }}!'), { color: 'red', 'kind of thing': 'teapot' })).toBe(
      'A red teapot!',
    );
  });

  it('does not fill in what a value brings along', () => {
    expect(render(parsed('{{ a }}'), { a: '{{ b }}', b: 'no' })).toBe('{{ b }}');
  });

  it('leaves text without an opening as it is, also JSON', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{{')),
        (text) => render(parsed(text), {}) === text,
      ),
    );
    expect(render(parsed('{"scene": {"light": "{{ light }}"}}'), { light: 'soft' })).toBe(
      '{"scene": {"light": "soft"}}',
    );
  });

  it('names what is missing, and does not find it on the prototype', () => {
    expect(missing(parsed('{{ a }} {{ toString }}'), { a: '' })).toEqual(['toString']);
  });

  it.each([
    ['A {{ color teapot', '"{{" is never closed by "}}" in "{{ color teapot"; write {{{{ for a literal "{{"'],
    ['A {{ }} teapot', 'no variable between "{{" and "}}" in "{{ }} teapot"; write {{{{ for a literal "{{"'],
    [
      'A {{{ color }}} teapot',
      '"{{" is not closed before the next brace or line in "{{{ color }}} teapot"; write {{{{ for a literal "{{"',
    ],
    [
      '{{ a } and {{ b }}',
      '"{{" is not closed before the next brace or line in "{{ a } and {{ b }}"; write {{{{ for a literal "{{"',
    ],
  ])('that is malformed says how: %s', (text, mistake) => {
    expect(parseTemplate(text)).toBe(mistake);
  });

  it('has an escape for a literal opening, which is written again where its source is shown', () => {
    const text = 'Write {{{{ name }} on {{ what }}, {{{{{{ what }}';
    expect(render(parsed(text), { what: 'a mug' })).toBe('Write {{ name }} on a mug, {{a mug');
    expect(templateText(parsed(text))).toBe(text);
    expect(singleBraced(parsed('{{{{name}}'), ['name'])).toEqual([]);
  });

  it('ends soon after what any check permits', () => {
    expect(render(parsed('{{ a }}'.repeat(1_400)), { a: 'x'.repeat(3_000_000) })).toHaveLength(3_000_000);
  });

  it('finds variables in single braces', () => {
    expect(singleBraced(parsed('A {color} { kind } {{ size }} {other}'), ['color', 'kind', 'size'])).toEqual([
      'color',
      'kind',
    ]);
  });
});

function parsed(text: string): Template {
  const template = parseTemplate(text);
  if (typeof template === 'string') throw new Error(template);
  return template;
}
