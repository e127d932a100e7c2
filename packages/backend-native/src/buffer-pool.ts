/** Most bytes that wait unused for the next array. */
const MAX_IDLE_BYTES = 384 * 1024 * 1024;
const ALIGNMENT = 64;

/**
 * Reuses the memory of disposed tensors: a fresh large array costs a system call and a page fault per 4 KiB, one from
 * the pool nothing. Buffers come in size classes (quarters of powers of two) and start on a cache line.
 */
export class BufferPool {
  private readonly idle = new Map<number, ArrayBuffer[]>();
  /** Byte offset of the first cache line in every buffer of this pool. */
  private readonly starts = new WeakMap<ArrayBufferLike, number>();
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
    const buffer = this.idle.get(bytes)?.pop();
    if (buffer) {
      this.idleTotal -= bytes;
      return new Float32Array(buffer, this.starts.get(buffer), length);
    }
    const fresh = new ArrayBuffer(bytes + ALIGNMENT);
    const start = this.prepareBuffer(fresh);
    this.starts.set(fresh, start);
    return new Float32Array(fresh, start, length);
  }

  /** Whether the array's memory belongs to this pool: such an array must be copied before it is handed to anyone else. */
  owns(array: { readonly buffer: ArrayBufferLike }): boolean {
    return this.starts.has(array.buffer);
  }

  /** Takes back memory that nobody reads any more; lets it go when enough waits already. */
  release(buffer: ArrayBuffer): void {
    const bytes = buffer.byteLength - ALIGNMENT;
    if (this.idleTotal + bytes > MAX_IDLE_BYTES) this.trim(MAX_IDLE_BYTES - bytes);
    if (this.idleTotal + bytes > MAX_IDLE_BYTES) return;
    const list = this.idle.get(bytes);
    if (list) list.push(buffer);
    else this.idle.set(bytes, [buffer]);
    this.idleTotal += bytes;
  }

  get idleBytes(): number {
    return this.idleTotal;
  }

  /** Drops idle buffers of the size classes that were first used longest ago. */
  private trim(target: number): void {
    for (const [bytes, list] of this.idle) {
      while (list.length > 0 && this.idleTotal > Math.max(0, target)) {
        list.pop();
        this.idleTotal -= bytes;
      }
      if (list.length === 0) this.idle.delete(bytes);
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
