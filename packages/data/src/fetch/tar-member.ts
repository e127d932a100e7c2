import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../read/engine.ts';

const BLOCK_BYTES = 512;

/**
 * The bytes of one file of a `.tar.gz` archive.
 *
 * @throws when the archive is damaged or cut off, or has no such file (listing what it has)
 */
export async function* tarMember(archive: string, member: string): AsyncGenerator<Buffer> {
  const names: string[] = [];
  let held: Buffer = Buffer.alloc(0);
  /** Bytes of the present file, and of the zeros that fill its last block. */
  let left = 0;
  let filling = 0;
  let isWanted = false;
  try {
    for await (const chunk of createReadStream(archive).pipe(createGunzip())) {
      held = held.length === 0 ? (chunk as Buffer) : Buffer.concat([held, chunk as Buffer]);
      while (held.length > 0) {
        if (left > 0) {
          const part = held.subarray(0, left);
          held = held.subarray(part.length);
          left -= part.length;
          if (isWanted) yield part;
          if (left > 0) break;
          if (isWanted) return;
        }
        const skipped = Math.min(filling, held.length);
        held = held.subarray(skipped);
        filling -= skipped;
        if (filling > 0 || held.length < BLOCK_BYTES) break;
        const header = held.subarray(0, BLOCK_BYTES);
        held = held.subarray(BLOCK_BYTES);
        if (header.every((byte) => byte === 0)) continue;
        const text = (from: number, to: number) => header.toString('utf8', from, to).replace(/\0[\s\S]*$/, '');
        const isUstar = text(257, 263).startsWith('ustar');
        const prefix = isUstar ? text(345, 500) : '';
        const name = (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`).replace(/^\.\//, '');
        left = Number.parseInt(text(124, 136).trim(), 8);
        if (!Number.isFinite(left)) throw new Error('a header is damaged');
        filling = (BLOCK_BYTES - (left % BLOCK_BYTES)) % BLOCK_BYTES;
        isWanted = name === member;
        if (isWanted && left === 0) return;
        names.push(name);
      }
    }
  } catch (error) {
    throw new Error(`${archive}: not a .tar.gz archive, or damaged (${messageOf(error)}); download it again`);
  }
  if (isWanted) throw new Error(`${archive}: cut off within '${member}'; download it again`);
  throw new Error(`${archive}: has no '${member}', only ${names.slice(0, 10).join(', ') || 'nothing'}`);
}
