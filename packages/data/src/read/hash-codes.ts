import { type Engine, rawHashes, rawInts } from './engine.ts';

/**
 * An SQL expression that gives different values of a column different 64-bit numbers, so that events can be told apart by
 * them without looking their values up.
 *
 * @param table of different values
 * @param candidates expressions, tried in this order
 * @throws when two values have the same number under every one of them
 */
export async function chooseHash(
  engine: Engine,
  table: string,
  column: string,
  candidates: readonly string[] = hashesOf(column),
): Promise<string> {
  for (const candidate of candidates) {
    const [row] = await engine.rows(`SELECT count(*) - count(DISTINCT ${candidate}) AS n FROM ${table}`);
    if (Number(row.n) === 0) return candidate;
  }
  throw new Error(`chooseHash: two values of ${table} have the same hash under each of ${candidates.join(', ')}`);
}

function hashesOf(column: string): string[] {
  return [`hash(${column})`, `hash(CAST(${column} AS VARCHAR) || '#')`, `hash('#' || CAST(${column} AS VARCHAR))`];
}

/** Codes by 64-bit hash: a table with open addressing, in 12 bytes per place and at least twice as many places as codes. */
export class HashCodes {
  readonly #mask: number;
  readonly #hashes: Uint32Array;
  /** Code + 1; 0 is an empty place. */
  readonly #codes: Int32Array;

  constructor(numCodes: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * numCodes)));
    this.#mask = size - 1;
    this.#hashes = new Uint32Array(2 * size);
    this.#codes = new Int32Array(size);
  }

  /** @param sql gives a hash (UBIGINT) and a code (INTEGER) per row */
  static async read(engine: Engine, sql: string, numCodes: number): Promise<HashCodes> {
    const codes = new HashCodes(numCodes);
    for await (const chunk of engine.stream(sql)) {
      const hashes = rawHashes(chunk.getColumnVector(0));
      const values = rawInts(chunk.getColumnVector(1));
      for (let row = 0; row < chunk.rowCount; row++) codes.add(hashes[2 * row], hashes[2 * row + 1], values[row]);
    }
    return codes;
  }

  add(low: number, high: number, code: number): void {
    let place = low & this.#mask;
    while (this.#codes[place] !== 0) place = (place + 1) & this.#mask;
    this.#hashes[2 * place] = low;
    this.#hashes[2 * place + 1] = high;
    this.#codes[place] = code + 1;
  }

  /** Codes of the hashes, lower half first [2 · length]. @throws when a hash has none */
  codesOf(hashes: Uint32Array, length: number): Int32Array {
    const found = new Int32Array(length);
    for (let e = 0; e < length; e++) {
      const low = hashes[2 * e];
      const high = hashes[2 * e + 1];
      let place = low & this.#mask;
      while (this.#hashes[2 * place] !== low || this.#hashes[2 * place + 1] !== high || this.#codes[place] === 0) {
        if (this.#codes[place] === 0)
          throw new Error('HashCodes: the log was changed while it was being read; run again');
        place = (place + 1) & this.#mask;
      }
      found[e] = this.#codes[place] - 1;
    }
    return found;
  }
}
