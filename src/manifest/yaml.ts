import {
  Composer,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type YAMLError,
} from 'yaml';
import { controlCharacterIn } from '../text/control-characters.ts';
import type { Finding, Path, Position } from './problems.ts';
import { quote } from './problems.ts';
import { commentMistake } from './yaml-comments.ts';

const MAX_DEPTH = 20;

/** The data of a YAML text, its mistakes, and the position of each part. */
export type YamlText = {
  data: unknown;
  /** Syntax errors: when there are any, `data` is undefined. */
  errors: { position: Position; message: string; hint?: string }[];
  findings: Finding[];
  /** The position of the value at a path, or of its key. If the path does not exist: of its nearest existing parent. */
  position(path: Path, at?: 'key'): Position;
  /** A value without quotes as it is written there: `007`, `0x1F`. */
  source(path: Path): string | undefined;
};

/**
 * Parses one YAML 1.2 document of plain data. Anchors, aliases, tags and duplicate keys are findings. None of them is
 * needed here, and aliases can make a small file expand to a huge one ("billion laughs").
 */
export function parseYaml(given: string): YamlText {
  // A lone CR, of old Macs, is a line end, which the library does not know.
  const text = given.replace(/\r(?!\n)/g, '\n');
  const lines = new LineCounter();
  lines.addNewLine(0);
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const { documents, tooDeepAt } = compose(text, lines);
  if (tooDeepAt !== undefined) {
    const message = `nested too deeply: expected at most ${MAX_DEPTH} levels`;
    return unreadable([{ position: at(tooDeepAt), message }], at(0));
  }
  const unwanted = controlCharacterIn(text);
  if (unwanted) {
    const message = `expected text without control characters, got ${unwanted.name}`;
    return unreadable([{ position: at(unwanted.at), message, hint: 'remove it' }], at(0));
  }
  const [document, second] = documents;
  const errors = syntaxErrors(document?.errors ?? [], text, lines);
  if (second !== undefined) {
    errors.push({ position: at(second.range[0]), message: 'expected one document, got another after "---"' });
  }
  if (document !== undefined && document.directives.yaml.version !== '1.2') {
    errors.push({ position: at(0), message: `expected YAML 1.2, got ${document.directives.yaml.version}` });
  }
  const findings: Finding[] = [];
  const root = document?.contents ?? null;
  const source = { text, findings, position: (node: unknown) => at(offsetOf(node)) };
  const data = errors.length > 0 ? undefined : toData(root, [], false, source);
  return {
    data,
    errors,
    findings,
    position: (path, part) => at(offsetOf(nodeAt(root, path, part))),
    source: (path) => plainSource(nodeAt(root, path)),
  };
}

function unreadable(errors: YamlText['errors'], start: Position): YamlText {
  return { data: undefined, errors, findings: [], position: () => start, source: () => undefined };
}

function plainSource(node: unknown): string | undefined {
  return isScalar(node) && node.type === 'PLAIN' ? node.source : undefined;
}

/**
 * Runs the parser and the composer of the library separately. The composer recurses: a few thousand open brackets
 * exhaust the stack, and V8 may then abort the whole process. The parser is iterative, and its stack shows the depth.
 */
function compose(text: string, lines: LineCounter): { documents: Document.Parsed[]; tooDeepAt?: number } {
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    // The document and the current scalar are on the stack too.
    if (parser.stack.length > MAX_DEPTH + 2) return { documents: [], tooDeepAt: parser.offset };
  }
  for (const token of parser.end()) tokens.push(token);
  // The library's check for unique keys is quadratic. `toData` checks them with a map.
  const composer = new Composer({ stringKeys: true, uniqueKeys: false, logLevel: 'error' });
  return { documents: [...composer.compose(tokens, true, text.length)] };
}

/** The first error of each line. Further ones mostly follow from it. */
function syntaxErrors(errors: readonly YAMLError[], text: string, lines: LineCounter): YamlText['errors'] {
  const firsts = new Map<number, YamlText['errors'][number]>();
  for (const error of errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    if (firsts.has(line)) continue;
    const [start = 0, end = text.length] = lines.lineStarts.slice(line - 1, line + 1);
    const hint = syntaxHint(error, text.slice(start, end));
    firsts.set(line, {
      position: { line, column: col },
      message: syntaxMessage(error),
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return [...firsts.values()];
}

function syntaxMessage({ code, message }: YAMLError): string {
  return code === 'NON_STRING_KEY' ? 'expected text as a key' : message;
}

function syntaxHint(error: YAMLError, line: string): string | undefined {
  if (line.includes('{{')) return 'a value that begins with "{{", or stands in a { … } map, needs quotes';
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY') return 'text with ": " in it needs quotes';
  if (error.code === 'TAB_AS_INDENT') return 'indent by spaces';
  return undefined;
}

const AS_WRITTEN = ['matrix', 'zip', 'exclude', 'where'];

type Source = { text: string; findings: Finding[]; position: (node: unknown) => Position };

/** With `asWritten`, numbers and booleans stay text as in the file (`007`, `1.50`). Used for matrix values. */
function toData(node: unknown, path: Path, asWritten: boolean, source: Source): unknown {
  const { text, findings, position } = source;
  if (!isNode(node)) return null;
  refuseExtras(node, path, findings);
  if (isScalar(node)) {
    const mistake = commentMistake(node, path, text);
    if (mistake) findings.push(mistake);
    return asWritten && node.value !== null ? (node.source ?? String(node.value)) : node.value;
  }
  if (isSeq(node)) return node.items.map((item, index) => toData(item, [...path, index], asWritten, source));
  if (!isMap(node)) return null;
  const keys = new Map<string, unknown>();
  const entries: [string, unknown][] = [];
  for (const { key, value } of node.items) {
    const name = keyText(key);
    if (keys.has(name)) {
      const first = position(keys.get(name));
      findings.push({ path: [...path, name], at: 'key', message: `given twice, first on line ${first.line}` });
      continue;
    }
    keys.set(name, key);
    if (isNode(key)) refuseExtras(key, [...path, name], findings);
    entries.push([name, toData(value, [...path, name], asWritten || AS_WRITTEN.includes(name), source)]);
  }
  return Object.fromEntries(entries);
}

function refuseExtras(node: Node, path: Path, findings: Finding[]): void {
  if (isAlias(node)) {
    findings.push({ path, message: `aliases are not allowed, got *${node.source}`, hint: 'write the value out' });
    return;
  }
  if (node.anchor !== undefined) {
    findings.push({ path, message: `anchors are not allowed, got &${node.anchor}`, hint: 'use defaults instead' });
  }
  if (node.tag !== undefined && (isScalar(node) || isCollection(node))) {
    findings.push({ path, message: `tags are not allowed, got ${quote(node.tag)}`, hint: 'quote what should be text' });
  }
}

/** The node at a path. If the path does not exist: the deepest existing node on it. */
function nodeAt(root: unknown, path: Path, part?: 'key'): unknown {
  let node = root;
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const isIt = ({ key }: { key: unknown }) => keyText(key) === String(step);
      const wantsKey = part === 'key' && index === path.length - 1;
      // Of duplicate keys, the first one's value counts, and the last one is reported.
      const pair = wantsKey ? node.items.findLast(isIt) : node.items.find(isIt);
      if (pair === undefined) return node;
      node = wantsKey || !isNode(pair.value) ? pair.key : pair.value;
    } else if (isSeq(node) && typeof step === 'number' && isNode(node.items[step])) {
      node = node.items[step];
    } else {
      return node;
    }
  }
  return node;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
