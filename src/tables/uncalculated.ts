import { openZip, type ZipParts } from './zip-part.ts';

/** Cells by row, from 1: `B2`. */
export type Uncalculated = ReadonlyMap<number, readonly string[]>;

/** A cell of a sheet, with its attributes and what is in it. */
const CELL = /<(?:\w+:)?c\b([^>]*?)(?:\/>|>([\s\S]*?)<\/(?:\w+:)?c>)/g;
const FORMULA = /<(?:\w+:)?f\b/;
const VALUE = /<(?:\w+:)?v\b[^>]*>[^<]|<(?:\w+:)?is\b/;
/** A cell is shorter; longer text without its end is no sheet. */
const MOST_OPEN = 1_000_000;
const CELL_START = 100;

/**
 * Finds cells of a sheet that have a formula and no value: a program has written them, and no spreadsheet has calculated them since.
 * They would be read as empty. A formula that came to empty text says so: it is of the type `str`. Nothing is found in what is no
 * workbook; its reader says why.
 */
export async function uncalculatedCells(path: string, sheet: string | undefined): Promise<Uncalculated> {
  const zip = await openZip(path);
  if (!zip) return new Map();
  try {
    const part = await partOf(zip, sheet);
    return part === undefined ? new Map() : await cellsIn(zip.text(part));
  } catch {
    return new Map();
  } finally {
    await zip.close();
  }
}

async function cellsIn(pieces: AsyncIterable<string>): Promise<Uncalculated> {
  const found = new Map<number, string[]>();
  let text = '';
  for await (const piece of pieces) {
    text += piece;
    // What follows the last whole cell is looked at with what comes next.
    const end = Math.max(text.lastIndexOf('</c>') + '</c>'.length, text.lastIndexOf(':c>') + ':c>'.length);
    const isCell = end > '</c>'.length;
    if (isCell && FORMULA.test(text.slice(0, end))) note(text.slice(0, end), found);
    if (isCell || text.length > MOST_OPEN) text = text.slice(isCell ? end : -CELL_START);
  }
  return found;
}

function note(text: string, found: Map<number, string[]>): void {
  for (const [, attributes = '', content = ''] of text.matchAll(CELL)) {
    if (!FORMULA.test(content) || VALUE.test(content) || /\bt="str"/.test(attributes)) continue;
    const [, cell = '', row = ''] = /\br="([A-Z]+(\d+))"/.exec(attributes) ?? [];
    if (row !== '') found.set(Number(row), [...(found.get(Number(row)) ?? []), cell]);
  }
}

/** The part that has this sheet, or the first one. */
async function partOf(zip: ZipParts, wanted: string | undefined): Promise<string | undefined> {
  const workbook = zip.names.find((name) => /(^|\/)workbook\.xml$/.test(name));
  if (workbook === undefined) return undefined;
  const folder = workbook.slice(0, workbook.lastIndexOf('/') + 1);
  const sheets = elements(await whole(zip.text(workbook)), 'sheet');
  const sheet = wanted === undefined ? sheets[0] : sheets.find((attributes) => attributes.get('name') === wanted);
  const relation = [...(sheet ?? [])].find(([name]) => /:id$/.test(name))?.[1];
  const relations = elements(
    await whole(zip.text(`${folder}_rels/${workbook.slice(folder.length)}.rels`)),
    'Relationship',
  );
  const target = relations.find((attributes) => attributes.get('Id') === relation)?.get('Target');
  if (target === undefined) return undefined;
  return target.startsWith('/') ? target.slice(1) : folder + target;
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) if (text.length < MOST_OPEN) text += piece;
  return text;
}

/** The attributes of each of these elements. */
function elements(xml: string, name: string): Map<string, string>[] {
  return [...xml.matchAll(new RegExp(`<(?:\\w+:)?${name}\\b([^>]*)>`, 'g'))].map(
    ([, attributes = '']) =>
      new Map([...attributes.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, unescaped(text)])),
  );
}

function unescaped(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (all, name: string) => names[name] ?? all);
}
