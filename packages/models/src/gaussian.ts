import { deriveSeed, mix32 } from '@nimue/ops';

/**
 * Standard normal numbers as a pure function of (seed, index), by Box & Muller (1958): element i does not depend on how
 * many are drawn, so a table that grows gets the rows that it would have had from the start.
 */
export function fillGaussian(out: Float32Array, seed: number, standardDeviation: number, firstIndex = 0): void {
  const stream = deriveSeed(seed, 0x6e6f726d);
  for (let i = 0; i < out.length; i++) {
    const pair = (firstIndex + i) >>> 1;
    const uniform1 = (mix32(stream ^ mix32(2 * pair)) + 0.5) / 4294967296;
    const uniform2 = (mix32(stream ^ mix32(2 * pair + 1)) + 0.5) / 4294967296;
    const radius = Math.sqrt(-2 * Math.log(uniform1));
    const angle = 2 * Math.PI * uniform2;
    out[i] = standardDeviation * radius * ((firstIndex + i) % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  }
}
