/** Small seeded generator (mulberry32): uniform in [0, 1). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Roughly normal floats with mean 0. */
export function randomFloats(random: () => number, length: number, spread = 1): Float32Array {
  return Float32Array.from({ length }, () => spread * (random() + random() + random() - 1.5) * 2);
}

export function randomIds(random: () => number, length: number, from: number, to: number): Int32Array {
  return Int32Array.from({ length }, () => from + Math.floor(random() * (to - from)));
}

/** Offsets of sessions with the given lengths. */
export function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, b) => {
    offsets[b + 1] = offsets[b] + length;
  });
  return offsets;
}
