/**
 * Seeded randomness: the same seed gives the same numbers on every machine.
 *
 * `createRandom` is the generator "mulberry32" (Tommy Ettinger): 32 bits of state, period 2³², enough for shuffles and
 * generated logs.
 */

const { imul } = Math;

/** Scrambles 32 bits so that neighbouring inputs give unrelated outputs (the finaliser of MurmurHash3). */
export function mix32(value: number): number {
  let h = value | 0;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One 32-bit hash of several whole numbers; the order counts. */
export function hashNumbers(...values: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const value of values) {
    hash = mix32(hash ^ mix32(value | 0));
    hash = mix32((hash + mix32(Math.floor(value / 0x100000000) ^ 0x51ed270b)) | 0);
  }
  return hash >>> 0;
}

/** 32-bit hash of a text and a seed (FNV-1a over UTF-16 units, then scrambled). */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ mix32(seed);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = imul(hash ^ (unit & 0xff), 0x01000193);
    hash = imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return mix32(hash);
}

/** A stream of numbers in [0, 1). */
export type Random = () => number;

/**
 * @example
 * const random = createRandom(7);
 * random(); // the same value in every run
 */
export function createRandom(seed: number): Random {
  let state = hashNumbers(seed) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = imul(state ^ (state >>> 15), 1 | state);
    t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A normally distributed number, mean 0, deviation 1 (Box–Muller). */
export function sampleNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The numbers 0 … count - 1 in random order (Fisher–Yates). */
export function shuffledOrder(count: number, random: Random): Int32Array {
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}
