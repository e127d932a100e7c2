import { closeSync, openSync, writevSync } from 'node:fs';
import { messageOf } from '../read/engine.ts';
import { encodeThrift, type ThriftField, writeVarint } from './thrift-compact.ts';

/** A column of a table with one row per session: a value each, or a list each. */
export type ListTableColumn =
  | { readonly name: string; readonly values: Int32Array | Float64Array | readonly string[] }
  | {
      readonly name: string;
      /** The lists laid end to end [T]. */
      readonly values: Int32Array | Float64Array;
      /** Where each list starts [S + 1]. */
      readonly offsets: Int32Array;
    };

const MAGIC = Buffer.from('PAR1');
/** Values of a row group at most; a page holds those of one column and must stay below 2^31 bytes. */
const VALUES_PER_GROUP = 2 ** 21;
const PHYSICAL = { int32: 1, double: 5, string: 6 } as const;
const ENCODING = { plain: 0, rle: 3 } as const;
const REQUIRED = 0;
const REPEATED = 2;
const UTF8 = 0;
const LIST = 3;

/**
 * Writes a table of numbers, texts and lists of numbers as a Parquet file: one page per column and row group, plain and
 * uncompressed, lists as their three-level form. This is all that prepared windows need, and a copy of their arrays; a window of a few
 * hundred sessions takes the engine several milliseconds per file, and there are three files a window.
 *
 * The format: https://parquet.apache.org/docs/file-format and its parquet.thrift.
 *
 * @param numRows S
 * @param valuesPerGroup values of a list column in a row group, unless one list alone has more
 * @returns size of the file
 * @throws naming the file, when it cannot be written, or a list is empty
 */
export async function writeListTable(
  file: string,
  numRows: number,
  columns: readonly ListTableColumn[],
  valuesPerGroup = VALUES_PER_GROUP,
): Promise<number> {
  const parts = encodeListTable(file, numRows, columns, valuesPerGroup);
  let descriptor: number | undefined;
  try {
    // There are thousands of small files, and to ask another thread for each takes longer than to write it.
    descriptor = openSync(file, 'w');
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (let written = 0, first = 0; written < bytes; ) {
      // A full disk may take a part only; what is left is tried again, and fails with the reason.
      let bytesWritten = writevSync(descriptor, parts.slice(first), written);
      written += bytesWritten;
      for (; first < parts.length && bytesWritten >= parts[first].byteLength; first++)
        bytesWritten -= parts[first].byteLength;
      if (bytesWritten > 0) parts[first] = parts[first].subarray(bytesWritten);
    }
    return bytes;
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${messageOf(error)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function encodeListTable(
  file: string,
  numRows: number,
  columns: readonly ListTableColumn[],
  valuesPerGroup: number,
): Uint8Array[] {
  const parts: Uint8Array[] = [MAGIC];
  let at = MAGIC.length;
  const put = (part: Uint8Array) => {
    parts.push(part);
    at += part.byteLength;
  };
  const groups: ThriftField[][] = [];
  for (const [from, to] of rowGroups(numRows, columns, valuesPerGroup)) {
    const groupStart = at;
    const chunks = columns.map((column): ThriftField[] => {
      const start = at;
      const page = encodePage(file, column, from, to);
      const size = page.parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
      put(
        encodeThrift([
          [1, 'i32', 0],
          [2, 'i32', size],
          [3, 'i32', size],
          [
            5,
            'struct',
            [
              [1, 'i32', page.numValues],
              [2, 'i32', ENCODING.plain],
              [3, 'i32', ENCODING.rle],
              [4, 'i32', ENCODING.rle],
            ],
          ],
        ]),
      );
      for (const part of page.parts) put(part);
      const metaData: ThriftField[] = [
        [1, 'i32', PHYSICAL[typeOf(column)]],
        [2, 'list', 'i32', [ENCODING.plain, ENCODING.rle]],
        [3, 'list', 'binary', 'offsets' in column ? [column.name, 'list', 'element'] : [column.name]],
        [4, 'i32', 0],
        [5, 'i64', page.numValues],
        [6, 'i64', at - start],
        [7, 'i64', at - start],
        [9, 'i64', start],
      ];
      return [
        [2, 'i64', start],
        [3, 'struct', metaData],
      ];
    });
    groups.push([
      [1, 'list', 'struct', chunks],
      [2, 'i64', at - groupStart],
      [3, 'i64', to - from],
    ]);
  }
  const footer = encodeThrift([
    [1, 'i32', 1],
    [2, 'list', 'struct', schemaOf(columns)],
    [3, 'i64', numRows],
    [4, 'list', 'struct', groups],
    [6, 'binary', 'nimue'],
  ]);
  put(footer);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  put(length);
  put(MAGIC);
  return parts;
}

function rowGroups(
  numRows: number,
  columns: readonly ListTableColumn[],
  valuesPerGroup: number,
): [from: number, to: number][] {
  const lists = columns.find((column) => 'offsets' in column);
  const offsets = lists && 'offsets' in lists ? lists.offsets : undefined;
  const groups: [number, number][] = [];
  for (let from = 0; from < numRows; ) {
    let to = from + 1;
    if (offsets) while (to < numRows && offsets[to + 1] - offsets[from] <= valuesPerGroup) to++;
    else to = Math.min(numRows, from + valuesPerGroup);
    groups.push([from, to]);
    from = to;
  }
  return groups;
}

function schemaOf(columns: readonly ListTableColumn[]): ThriftField[][] {
  const root: ThriftField[] = [
    [4, 'binary', 'schema'],
    [5, 'i32', columns.length],
  ];
  const leaf = (column: ListTableColumn, name: string): ThriftField[] => {
    const type = typeOf(column);
    return [
      [1, 'i32', PHYSICAL[type]],
      [3, 'i32', REQUIRED],
      [4, 'binary', name],
      ...(type === 'string' ? [[6, 'i32', UTF8] as const] : []),
    ];
  };
  const elements = columns.flatMap((column): ThriftField[][] => {
    if (!('offsets' in column)) return [leaf(column, column.name)];
    return [
      [
        [3, 'i32', REQUIRED],
        [4, 'binary', column.name],
        [5, 'i32', 1],
        [6, 'i32', LIST],
      ],
      [
        [3, 'i32', REPEATED],
        [4, 'binary', 'list'],
        [5, 'i32', 1],
      ],
      leaf(column, 'element'),
    ];
  });
  return [root, ...elements];
}

function typeOf({ values }: ListTableColumn): keyof typeof PHYSICAL {
  if (values instanceof Int32Array) return 'int32';
  return values instanceof Float64Array ? 'double' : 'string';
}

function encodePage(
  file: string,
  column: ListTableColumn,
  from: number,
  to: number,
): { readonly numValues: number; readonly parts: Uint8Array[] } {
  if ('offsets' in column) {
    const { offsets, values } = column;
    const [first, end] = [offsets[from], offsets[to]];
    for (let row = from; row < to; row++) {
      if (offsets[row + 1] <= offsets[row])
        throw new Error(`${file}: column '${column.name}', row ${row}: an empty list`);
    }
    const parts = [
      repetitionLevels(offsets, from, to),
      definitionLevels(end - first),
      bytesOf(values.subarray(first, end)),
    ];
    return { numValues: end - first, parts };
  }
  const { values } = column;
  const part =
    values instanceof Int32Array || values instanceof Float64Array
      ? bytesOf(values.subarray(from, to))
      : encodeTexts(values.slice(from, to));
  return { numValues: to - from, parts: [part] };
}

/** 0 where a list begins, 1 within it: bits, eight values a byte, the first the least. */
function repetitionLevels(offsets: Int32Array, from: number, to: number): Uint8Array {
  const first = offsets[from];
  const numBytes = Math.ceil((offsets[to] - first) / 8);
  const header: number[] = [];
  writeVarint(header, 2 * numBytes + 1);
  const bytes = Buffer.alloc(4 + header.length + numBytes, 0xff);
  bytes.writeUInt32LE(header.length + numBytes);
  bytes.set(header, 4);
  for (let row = from; row < to; row++) {
    const value = offsets[row] - first;
    bytes[4 + header.length + (value >> 3)] &= ~(1 << (value & 7));
  }
  return bytes;
}

/** 1 for every value: it is there. */
function definitionLevels(numValues: number): Uint8Array {
  const run: number[] = [];
  writeVarint(run, 2 * numValues);
  run.push(1);
  const bytes = Buffer.alloc(4 + run.length);
  bytes.writeUInt32LE(run.length);
  bytes.set(run, 4);
  return bytes;
}

/** The machine is little-endian, as the format is. */
function bytesOf(values: Int32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function encodeTexts(texts: readonly string[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of texts) {
    const length = bytes.write(text, at + 4);
    bytes.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return bytes;
}
