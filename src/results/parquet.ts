import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { VERSION } from '../version.ts';
import { COLUMNS, type Row } from './row.ts';

/** Rows that are held, and that a reader reads at once: about 20 MB. */
const GROUP_ROWS = 10_000;

const WHOLE_NUMBERS = [
  'variant',
  'width',
  'height',
  'bytes',
  'attempts',
  'failureCode',
  'safetyTolerance',
  'order',
  'line',
  'take',
  'imageNumber',
];
const BOOLEANS = ['current', 'enableTranslation', 'promptUpsampling', 'uploadCn'];
const TIMES = ['queued', 'submitted', 'completed', 'discovered', 'archived'];

/** Yields the bytes of a Parquet file (Snappy), one group of rows after another. */
export async function* parquetOf(rows: AsyncIterable<Row>, groupRows = GROUP_ROWS): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  const schema: SchemaElement[] = [{ name: 'root', num_children: COLUMNS.length }, ...COLUMNS.map(elementOf)];
  const file = new ParquetWriter({ writer: bytes, schema, createdBy: `flux-batch version ${VERSION}` });
  let held: Row[] = [];
  const writeGroup = async () => {
    const columnData = COLUMNS.map((name) => ({ name, data: held.map((row) => cellOf(name, row)) }));
    await file.write({ columnData, rowGroupSize: groupRows });
    held = [];
    return taken(bytes);
  };
  for await (const row of rows) {
    held.push(row);
    if (held.length === groupRows) yield await writeGroup();
  }
  if (held.length > 0) yield await writeGroup();
  await file.finish();
  yield taken(bytes);
}

function elementOf(name: (typeof COLUMNS)[number]): SchemaElement {
  const common = { name, repetition_type: 'OPTIONAL' as const };
  if (WHOLE_NUMBERS.includes(name)) return { ...common, type: 'INT32' };
  if (BOOLEANS.includes(name)) return { ...common, type: 'BOOLEAN' };
  if (TIMES.includes(name)) return { ...common, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' };
  if (name === 'credits') return { ...common, type: 'DOUBLE' };
  return { ...common, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
}

/** Of a record that cannot be read the time is an empty text. */
function cellOf(name: (typeof COLUMNS)[number], row: Row): string | number | boolean | Date | null {
  const value = row[name];
  if (!TIMES.includes(name)) return value;
  return typeof value === 'string' && value !== '' ? new Date(value) : null;
}

/** What was written since, out of a buffer that is written over from here on. */
function taken(bytes: ByteWriter): Uint8Array {
  const some = bytes.getBytes().slice();
  bytes.index = 0;
  return some;
}
