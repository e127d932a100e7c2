const MAGIC = 0x184d2204;
const MIN_MATCH = 4;

/**
 * Unpacks an LZ4 frame, the default of Feather files: blocks of literals and copies of what came before.
 *
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md. Checksums are not looked at.
 *
 * @throws when the frame is damaged, cut off, or needs a dictionary
 */
export function unpackLz4Frame(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 7 || view.getUint32(0, true) !== MAGIC) throw damaged('it does not begin as a frame does');
  const flags = packed[4];
  if (flags >> 6 !== 1) throw damaged(`version ${flags >> 6} is not known`);
  if (flags & 1) throw damaged('it needs a dictionary');
  const hasBlockChecksums = (flags & 0x10) !== 0;
  const hasSize = (flags & 0x08) !== 0;
  const output = new Output(hasSize ? Number(view.getBigUint64(6, true)) : 4 * packed.length);
  for (let at = 7 + (hasSize ? 8 : 0); ; ) {
    if (at + 4 > packed.length) throw damaged('it is cut off');
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return output.bytes();
    const size = word & 0x7fffffff;
    if (at + size > packed.length) throw damaged('it is cut off');
    const block = packed.subarray(at, at + size);
    if (word >>> 31) output.append(block);
    else unpackBlock(block, output);
    at += size + (hasBlockChecksums ? 4 : 0);
  }
}

function unpackBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  /** A length of 15 goes on in the bytes that follow, as long as they are 255. */
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let byte = 255;
      while (byte === 255) {
        if (at >= block.length) throw damaged('a length is cut off');
        byte = block[at++];
        length += byte;
      }
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++];
    const numLiterals = lengthFrom(token >> 4);
    if (at + numLiterals > block.length) throw damaged('literals are cut off');
    output.append(block.subarray(at, at + numLiterals));
    at += numLiterals;
    // The last sequence of a block has literals only.
    if (at === block.length) return;
    if (at + 2 > block.length) throw damaged('an offset is cut off');
    const offset = block[at] | (block[at + 1] << 8);
    at += 2;
    output.repeat(offset, lengthFrom(token & 15) + MIN_MATCH);
  }
}

/** Bytes that grow. */
class Output {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Copies what stands `offset` bytes before the end; it may run into what it writes itself. */
  repeat(offset: number, length: number): void {
    if (offset === 0 || offset > this.#length) throw damaged('a copy of what was never there');
    this.#reserve(length);
    for (let i = 0; i < length; i++, this.#length++) this.#bytes[this.#length] = this.#bytes[this.#length - offset];
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(numBytes: number): void {
    if (this.#length + numBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + numBytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function damaged(why: string): Error {
  return new Error(`the LZ4 frame is damaged: ${why}`);
}
