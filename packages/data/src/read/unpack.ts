import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf } from './engine.ts';

/** What a packed file begins with. */
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;
const ENDINGS = { gzip: '.gz', zstd: '.zst' } as const;
type Packing = keyof typeof MAGIC;

/**
 * Unpacks a gzip or zstd file; it is known by its first bytes. DuckDB reads gzip too, but takes a truncated file for a
 * shorter one; here it is an error.
 *
 * @returns the target, or the path itself where the file is not packed
 * @throws when the file is truncated or damaged, or its name says that it is packed and it is not
 */
export async function unpackIfPacked(path: string, target: string): Promise<string> {
  const packing = await packingOf(path);
  if (packing === undefined) {
    const wrong = (Object.keys(ENDINGS) as Packing[]).find((name) => path.endsWith(ENDINGS[name]));
    if (wrong === undefined) return path;
    throw new Error(`${path}: not a ${wrong} file although its name ends with ${ENDINGS[wrong]}; check the download`);
  }
  const unpacking = packing === 'gzip' ? createGunzip() : await createUnzstd();
  try {
    await pipeline(createReadStream(path), unpacking, createWriteStream(target));
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(
      /unexpected (end of file|EOF)/i.test(reason)
        ? `${path}: the ${packing} file is cut off; copy or download it again`
        : `${path}: cannot unpack the ${packing} file: ${reason}`,
    );
  }
  return target;
}

async function packingOf(path: string): Promise<Packing | undefined> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await file.read(head, 0, 4, 0);
    const begins = (magic: readonly number[]) =>
      bytesRead >= magic.length && magic.every((byte, i) => head[i] === byte);
    return (Object.keys(MAGIC) as Packing[]).find((name) => begins(MAGIC[name]));
  } finally {
    await file.close();
  }
}

async function createUnzstd(): Promise<Transform> {
  const { Decompress } = await import('fzstd');
  const unzstd = new Decompress((chunk) => {
    transform.push(chunk);
  });
  const transform = new Transform({
    transform(chunk: Uint8Array, _, done) {
      done(errorOf(() => unzstd.push(chunk)));
    },
    flush(done) {
      done(errorOf(() => unzstd.push(new Uint8Array(), true)));
    },
  });
  return transform;
}

function errorOf(run: () => void): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
