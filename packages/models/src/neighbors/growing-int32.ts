/** A list of whole numbers that grows at its end; `view` is valid until the next `push`. */
export class GrowingInt32 {
  #values: Int32Array;
  #length = 0;

  constructor(capacity = 4) {
    this.#values = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  get view(): Int32Array {
    return this.#values.subarray(0, this.#length);
  }

  at(index: number): number {
    return this.#values[index];
  }

  clear(): void {
    this.#length = 0;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Int32Array(Math.max(4, 2 * this.#length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }
}
