/** Most bytes that wait unused for the next array. */
const MAX_IDLE_BYTES = 384 * 1024 * 1024;
const ALIGNMENT = 64;
/** Smaller arrays get memory of their own size, which costs little. */
const MIN_BORROWED_BYTES = 64 * 1024;
/** An array may lie in a buffer this many times its size: batches of other lengths then use what is there. */
const MAX_BORROWED_TIMES = 2;

/**
 * Reuses the memory of disposed tensors: a fresh large array costs a system call and a page fault per 4 KiB, one from
 * the pool nothing. Buffers come in size classes (quarters of powers of two) and start on a cache line.
 */
export class BufferPool {
  private readonly idle = new Map<number, ArrayBuffer[]>();
  /** Byte offset of the first cache line in every buffer of this pool. */
  private readonly starts = new WeakMap<ArrayBufferLike, number>();
  /** Bytes of every buffer of this pool that were ever lent: the rest was never written and takes no memory. */
  private readonly touched = new WeakMap<ArrayBufferLike, number>();
  private readonly prepareBuffer: (buffer: ArrayBuffer) => number;
  private readonly reuse: boolean;
  private idleTotal = 0;

  /** @param reuse false gives every array memory of its own and exact length, which a memory checker can watch */
  constructor(prepareBuffer: (buffer: ArrayBuffer) => number, reuse = true) {
    this.prepareBuffer = prepareBuffer;
    this.reuse = reuse;
  }

  /** An array of `length` floats with undefined content. */
  take(length: number): Float32Array<ArrayBuffer> {
    if (!this.reuse) return new Float32Array(length);
    const bytes = sizeClass(length * 4);
    const buffer = this.takeIdle(bytes);
    if (buffer) {
      const touched = this.touchedOf(buffer);
      this.idleTotal -= touched;
      if (touched < bytes) this.touched.set(buffer, bytes);
      return new Float32Array(buffer, this.starts.get(buffer), length);
    }
    // Room for a somewhat longer batch costs nothing until one comes.
    const fresh = new ArrayBuffer((bytes < MIN_BORROWED_BYTES ? bytes : sizeClass(bytes + 1)) + ALIGNMENT);
    const start = this.prepareBuffer(fresh);
    this.starts.set(fresh, start);
    this.touched.set(fresh, bytes);
    return new Float32Array(fresh, start, length);
  }

  /** An idle buffer of this size class, else the smallest of the next larger ones. */
  private takeIdle(bytes: number): ArrayBuffer | undefined {
    const largest = bytes < MIN_BORROWED_BYTES ? bytes : MAX_BORROWED_TIMES * bytes;
    for (let size = bytes; size <= largest; size = sizeClass(size + 1)) {
      const buffer = this.idle.get(size)?.pop();
      if (buffer) return buffer;
    }
    return undefined;
  }

  /** Whether the array's memory belongs to this pool: such an array must be copied before it is handed to anyone else. */
  owns(array: { readonly buffer: ArrayBufferLike }): boolean {
    return this.starts.has(array.buffer);
  }

  /** Takes back memory that nobody reads any more; lets it go when enough waits already. */
  release(buffer: ArrayBuffer): void {
    const bytes = this.touchedOf(buffer);
    if (this.idleTotal + bytes > MAX_IDLE_BYTES) this.trim(MAX_IDLE_BYTES - bytes);
    if (this.idleTotal + bytes > MAX_IDLE_BYTES) return;
    const size = buffer.byteLength - ALIGNMENT;
    const list = this.idle.get(size);
    if (list) list.push(buffer);
    else this.idle.set(size, [buffer]);
    this.idleTotal += bytes;
  }

  get idleBytes(): number {
    return this.idleTotal;
  }

  private touchedOf(buffer: ArrayBuffer): number {
    return this.touched.get(buffer) ?? buffer.byteLength - ALIGNMENT;
  }

  /** Drops idle buffers of the size classes that were first used longest ago. */
  private trim(target: number): void {
    for (const [size, list] of this.idle) {
      while (this.idleTotal > Math.max(0, target)) {
        const buffer = list.pop();
        if (!buffer) break;
        this.idleTotal -= this.touchedOf(buffer);
      }
      if (list.length === 0) this.idle.delete(size);
      if (this.idleTotal <= target) return;
    }
  }
}

/** The smallest of 256 · 2ⁿ · {1, 1¼, 1½, 1¾} that holds `bytes`. */
export function sizeClass(bytes: number): number {
  let power = 256;
  while (power * 2 <= bytes) power *= 2;
  return bytes <= power ? power : Math.ceil(bytes / (power / 4)) * (power / 4);
}
