import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/manifest/yaml.ts';

describe('parseYaml', () => {
  it('knows where each value and key stands', () => {
    const { position } = parseYaml('version: 1\njobs:\n  - id: a\n    matrix: { color: [red, jade] }\n');
    expect(position(['jobs', 0, 'matrix', 'color', 1])).toEqual({ line: 4, column: 28 });
    expect(position(['jobs', 0, 'matrix', 'color'], 'key')).toEqual({ line: 4, column: 15 });
    expect(position(['jobs', 0, 'prompt'])).toEqual({ line: 3, column: 5 });
  });

  it('keeps the numbers and truth values of a matrix as they are written', () => {
    const text = 'n: 007\nmatrix: { sku: [007, 1.50, true, 0x1F, "08", 2026-01-01] }\n';
    expect(parseYaml(text).data).toEqual({
      n: 7,
      matrix: { sku: ['007', '1.50', 'true', '0x1F', '08', '2026-01-01'] },
    });
  });

  it('reads ratios as text, as YAML 1.2 has it, and refuses YAML 1.1', () => {
    expect(parseYaml('a: 16:9').data).toEqual({ a: '16:9' });
    expect(parseYaml('%YAML 1.1\n---\na: 16:9').errors).toEqual([
      { position: { line: 1, column: 1 }, message: 'expected YAML 1.2, got 1.1' },
    ]);
  });

  it.each([
    ['brackets', '['.repeat(1_000_000)],
    ['flow maps', '{a: '.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['indents', Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ])('refuses %s without end before they exhaust the stack', (_, text) => {
    expect(parseYaml(text).errors).toMatchObject([{ message: 'nested too deeply: expected at most 20 levels' }]);
  });

  it('refuses a billion laughs without laughing', () => {
    const laughs = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(10)}]`);
    const { findings, data } = parseYaml(`l0: &l0 lol\n${laughs.join('\n')}\n`);
    expect(findings[0]).toEqual({
      path: ['l0'],
      message: 'anchors are not allowed, got &l0',
      hint: 'use defaults instead',
    });
    expect(findings).toHaveLength(10 + 90);
    expect(JSON.stringify(data).length).toBeLessThan(1_000);
  });

  it('looks duplicate keys up instead of comparing each with each', () => {
    const keys = Array.from({ length: 50_000 }, (_, n) => `k${n}: 1`).join('\n');
    expect(parseYaml(`${keys}\nk7: 2`).findings).toEqual([
      { path: ['k7'], at: 'key', message: 'given twice, first on line 8' },
    ]);
  });

  it('makes own properties of names that objects know', () => {
    const { data } = parseYaml('__proto__: { a: 1 }\nconstructor: 2\n');
    expect(Object.keys(Object(data))).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });
});
