const TYPES = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/** A value of a Thrift structure: its field number, type and value. */
export type ThriftField =
  | readonly [id: number, type: 'i32' | 'i64', value: number]
  | readonly [id: number, type: 'binary', value: string]
  | readonly [id: number, type: 'struct', value: readonly ThriftField[]]
  | readonly [id: number, type: 'list', of: 'i32', values: readonly number[]]
  | readonly [id: number, type: 'list', of: 'binary', values: readonly string[]]
  | readonly [id: number, type: 'list', of: 'struct', values: readonly (readonly ThriftField[])[]];

/**
 * A structure in Thrift's compact protocol, in which the headers and the footer of a Parquet file are written.
 *
 * @param fields by rising number
 * @example
 * encodeThrift([[1, 'i32', 3]]); // → Buffer [0x15, 6, 0]
 */
export function encodeThrift(fields: readonly ThriftField[]): Buffer {
  const bytes: number[] = [];
  writeStruct(bytes, fields);
  return Buffer.from(bytes);
}

function writeStruct(bytes: number[], fields: readonly ThriftField[]): void {
  let before = 0;
  for (const [id, type, ...rest] of fields) {
    bytes.push(((id - before) << 4) | TYPES[type]);
    before = id;
    if (type !== 'list') {
      writeValue(bytes, type, rest[0]);
      continue;
    }
    const [of, values] = rest as [keyof typeof TYPES, readonly unknown[]];
    if (values.length < 15) bytes.push((values.length << 4) | TYPES[of]);
    else {
      bytes.push(0xf0 | TYPES[of]);
      writeVarint(bytes, values.length);
    }
    for (const value of values) writeValue(bytes, of, value);
  }
  bytes.push(0);
}

function writeValue(bytes: number[], type: keyof typeof TYPES, value: unknown): void {
  if (type === 'struct') writeStruct(bytes, value as readonly ThriftField[]);
  else if (type === 'binary') {
    const text = Buffer.from(value as string, 'utf8');
    writeVarint(bytes, text.length);
    bytes.push(...text);
  } else {
    // Zigzag: signs alternate.
    const number = value as number;
    writeVarint(bytes, number >= 0 ? 2 * number : -2 * number - 1);
  }
}

/** Seven bits a byte, the least first. Shifts would cut numbers to 32 bits. */
export function writeVarint(bytes: number[], value: number): void {
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
}
