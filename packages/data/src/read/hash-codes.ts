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

/** Words of a place: both halves of the hash, the code + 1 (0 in an empty place), and one that keeps places within a cache line. */
const PLACE_WORDS = 4;

/** Codes by 64-bit hash: a table with open addressing, in 16 bytes per place and at least twice as many places as codes. */
export class HashCodes {
  readonly #mask: number;
  readonly #places: Int32Array;
  #found = new Int32Array(2048);

  constructor(numCodes: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * numCodes)));
    this.#mask = size - 1;
    this.#places = new Int32Array(PLACE_WORDS * size);
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

  /** @param low and @param high halves of the hash, as `rawHashes` gives them */
  add(low: number, high: number, code: number): void {
    const places = this.#places;
    let place = low & this.#mask;
    while (places[PLACE_WORDS * place + 2] !== 0) place = (place + 1) & this.#mask;
    places[PLACE_WORDS * place] = low;
    places[PLACE_WORDS * place + 1] = high;
    places[PLACE_WORDS * place + 2] = code + 1;
  }

  /** Codes of the hashes, lower half first [2 · length], in memory that the next call writes again. @throws when a hash has none */
  codesOf(hashes: Int32Array, length: number): Int32Array {
    const places = this.#places;
    const mask = this.#mask;
    if (this.#found.length < length) this.#found = new Int32Array(length);
    const found = this.#found;
    for (let e = 0; e < length; e++) {
      const low = hashes[2 * e];
      const high = hashes[2 * e + 1];
      let at = PLACE_WORDS * (low & mask);
      while (places[at] !== low || places[at + 1] !== high || places[at + 2] === 0) {
        if (places[at + 2] === 0) throw new Error('HashCodes: the log was changed while it was being read; run again');
        at = (at + PLACE_WORDS) & (PLACE_WORDS * mask + PLACE_WORDS - 1);
      }
      found[e] = places[at + 2] - 1;
    }
    return found.subarray(0, length);
  }
}
