/** A small seeded generator of uniform numbers in [0, 1) (mulberry32, public domain). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Uniform float32 numbers in [−scale, scale). */
export function randomFloats(length: number, random: () => number, scale = 1): Float32Array {
  return Float32Array.from({ length }, () => (2 * random() - 1) * scale);
}

/** Whole numbers in low … high − 1. */
export function randomIntegers(length: number, low: number, high: number, random: () => number): Int32Array {
  return Int32Array.from({ length }, () => low + Math.floor(random() * (high - low)));
}

/** Offsets [B + 1] of sessions with the given lengths. */
export function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, b) => {
    offsets[b + 1] = offsets[b] + length;
  });
  return offsets;
}
