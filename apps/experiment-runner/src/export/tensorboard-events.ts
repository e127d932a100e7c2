/** A scalar as TensorBoard shows it. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
}

/**
 * The beginning of an event file of TensorBoard, which is TFRecords of Event messages: the first names the version.
 *
 * A record is length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian.
 *
 * @param startedAt seconds since 1970
 */
export function tensorboardVersion(startedAt: number): Buffer {
  return record(Buffer.concat([fixed64(1, startedAt), bytes(3, Buffer.from('brain.Event:2'))]));
}

/** One scalar, to be put behind what is in the file. */
export function tensorboardRecord({ tag, step, value, wallTime }: Scalar): Buffer {
  const scalar = Buffer.concat([bytes(1, Buffer.from(tag)), fixed32(2, value)]);
  return record(Buffer.concat([fixed64(1, wallTime), tagOf(2, 0), varint(step), bytes(5, bytes(1, scalar))]));
}

function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

function checksum(data: Buffer): Buffer {
  const crc = crc32c(data);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE(masked);
  return out;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (Castagnoli). `crc32c(Buffer.from('123456789'))` is 0xe3069283. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function tagOf(field: number, wireType: number): Buffer {
  return varint((field << 3) | wireType);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...out, rest]);
}

function bytes(field: number, data: Buffer): Buffer {
  return Buffer.concat([tagOf(field, 2), varint(data.length), data]);
}

function fixed64(field: number, value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return Buffer.concat([tagOf(field, 1), out]);
}

function fixed32(field: number, value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return Buffer.concat([tagOf(field, 5), out]);
}
