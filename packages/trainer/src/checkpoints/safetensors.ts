/** Arrays that a safetensors file holds. */
export type StoredArray = Float32Array | Float64Array | Int32Array | Int8Array | Uint8Array;

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: StoredArray;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Text by name: `__metadata__` of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = '__metadata__';
const HEADER_ALIGNMENT_BYTES = 8;
const ARRAYS = { F32: Float32Array, F64: Float64Array, I32: Int32Array, I8: Int8Array, U8: Uint8Array } as const;
type Dtype = keyof typeof ARRAYS;

/**
 * The bytes of a safetensors file: the header's length (8 bytes), the header (JSON), then the arrays, little-endian and end to
 * end, widest type first, so that each is aligned.
 *
 * @throws when a shape does not have as many places as there are values
 *
 * @example
 * const tensors = new Map([['weights', { shape: [2, 1], values: Float32Array.of(1.5, -2) }]]);
 * const bytes = encodeSafetensors({ tensors, metadata: { step: '7' } });
 * decodeSafetensors(bytes).metadata; // → {"step":"7"}
 * [...decodeSafetensors(bytes).tensors.get('weights').values]; // → [1.5, -2]
 */
export function encodeSafetensors(content: Safetensors): Uint8Array {
  const parts = partsOfSafetensors(content);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The same bytes as the head of the file and a view of every array: nothing is copied. */
export function partsOfSafetensors({ tensors, metadata }: Safetensors): Uint8Array[] {
  const entries = [...tensors].sort(
    ([a, one], [b, other]) => other.values.BYTES_PER_ELEMENT - one.values.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const [name, { shape, values }] of entries) {
    const size = shape.reduce((product, n) => product * n, 1);
    if (size !== values.length || name === METADATA) {
      throw new Error(`encodeSafetensors: '${name}' has ${values.length} values but shape [${shape}]`);
    }
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype: dtypeOf(values), shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / HEADER_ALIGNMENT_BYTES) * HEADER_ALIGNMENT_BYTES;
  const head = new Uint8Array(8 + headerBytes).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(json, 8);
  return [
    head,
    ...entries.map(([, { values }]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ];
}

/** @throws saying why the bytes are no such file: too short, no header, an unknown type, or arrays that do not fill it */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  if (bytes.length < 8) throw new Error(`it has ${bytes.length} bytes, too few for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > bytes.length - 8) {
    throw new Error(`its header should have ${headerBytes} bytes but only ${bytes.length - 8} follow`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes));
  const data = bytes.subarray(8 + headerBytes);
  const tensors = new Map<string, StoredTensor>();
  let end = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) continue;
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (!isDtype(dtype)) throw new Error(`'${name}' has type ${dtype}; expected ${Object.keys(ARRAYS).join(', ')}`);
    if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
      throw new Error(`'${name}' has no shape or place in the file`);
    }
    const length = shape.reduce((product, n) => product * n, 1);
    const [from, to] = offsets;
    if (to - from !== length * ARRAYS[dtype].BYTES_PER_ELEMENT || to > data.length) {
      throw new Error(`'${name}' with shape [${shape}] does not fit its bytes ${from} … ${to} of ${data.length}`);
    }
    // A copy of its own: `slice` of a Buffer would be none.
    const own = Uint8Array.from(data.subarray(from, to));
    tensors.set(name, { shape, values: new ARRAYS[dtype](own.buffer, 0, length) });
    end = Math.max(end, to);
  }
  if (end !== data.length) throw new Error(`it has ${data.length} bytes of values where its header names ${end}`);
  return { tensors, metadata: (header[METADATA] ?? {}) as Record<string, string> };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return { ...header };
  } catch {
    // Said below.
  }
  throw new Error('it has no header of a safetensors file');
}

function dtypeOf(values: StoredArray): Dtype {
  if (values instanceof Float32Array) return 'F32';
  if (values instanceof Float64Array) return 'F64';
  if (values instanceof Int32Array) return 'I32';
  return values instanceof Int8Array ? 'I8' : 'U8';
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
