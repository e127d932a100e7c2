import { mix32 } from '@nimue/ops';

/**
 * A stream of 32 random bits at a time: xoshiro128++ (Blackman & Vigna, public domain), period 2¹²⁸ − 1, so that the streams
 * of different steps do not meet.
 */
export class RandomBits {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.#a = mix32(seed + 0x9e3779b9) | 1;
    this.#b = mix32(seed + 0x3c6ef372);
    this.#c = mix32(seed + 0xdaa66d2b);
    this.#d = mix32(seed + 0x78dde6e4);
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A whole number in 0 … 2³² − 1. */
  next(): number {
    const sum = (this.#a + this.#d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + this.#a) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A whole number in 0 … n − 1, for n up to 2³¹. */
  below(n: number): number {
    return Math.floor(this.next() * 2 ** -32 * n);
  }
}
