import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { crc32, createInflateRaw } from 'node:zlib';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
/** The end record and the longest comment after it. */
const END_BYTES = 22 + 65_535;

/**
 * The bytes of one file of a ZIP archive, stored or deflated.
 *
 * @throws when the archive is damaged or has no such file (listing what it has), at the end when its CRC-32 does not fit
 */
export async function* zipMember(archive: string, member: string): AsyncGenerator<Buffer> {
  const entry = await findEntry(archive, member);
  const packed = createReadStream(archive, { start: entry.from, end: entry.from + entry.packedBytes - 1 });
  const plain: AsyncIterable<Buffer> = entry.method === 0 ? packed : packed.pipe(createInflateRaw());
  let crc = 0;
  let bytes = 0;
  if (entry.packedBytes > 0) {
    for await (const chunk of plain) {
      crc = crc32(chunk, crc);
      bytes += chunk.length;
      yield chunk;
    }
  }
  if (crc !== entry.crc || bytes !== entry.bytes) {
    throw new Error(`${archive}: '${member}' is damaged (its CRC-32 does not fit); download it again`);
  }
}

interface ZipEntry {
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly from: number;
}

async function findEntry(archive: string, member: string): Promise<ZipEntry> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const read = async (from: number, length: number) => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - from)));
      await file.read(buffer, 0, buffer.length, from);
      return buffer;
    };
    const tailFrom = Math.max(0, size - END_BYTES);
    const tail = await read(tailFrom, END_BYTES);
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
    if (end < 0) throw new Error(`${archive}: not a ZIP archive, or cut off; download it again`);
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    const names: string[] = [];
    for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === ENTRY_SIGNATURE; ) {
      const nameBytes = directory.readUInt16LE(at + 28);
      const name = directory.toString('utf8', at + 46, at + 46 + nameBytes);
      if (name === member) {
        const [method, crc] = [directory.readUInt16LE(at + 10), directory.readUInt32LE(at + 16)];
        const [packedBytes, bytes] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24)];
        const header = directory.readUInt32LE(at + 42);
        if (method !== 0 && method !== 8)
          throw new Error(`${archive}: '${member}' is packed by method ${method}; unpack it yourself`);
        if ([packedBytes, bytes, header].includes(0xffffffff)) {
          throw new Error(`${archive}: '${member}' is larger than 4 GB (ZIP64); unpack it yourself`);
        }
        const local = await read(header, 30);
        if (local.length < 30) throw new Error(`${archive}: cut off; download it again`);
        const from = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
        return { method, crc, packedBytes, bytes, from };
      }
      names.push(name);
      at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    throw new Error(`${archive}: has no '${member}', only ${names.slice(0, 10).join(', ') || 'nothing'}`);
  } finally {
    await file.close();
  }
}
