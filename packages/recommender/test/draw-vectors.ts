import { createRandom } from '@nimue/testing';
import type { ItemVectors } from '../src/index.ts';

/** Items of very different lengths and biases: the nearest by distance are not those with the highest scores. */
export function drawVectors(numItems: number, width: number, seed: number): ItemVectors {
  const random = createRandom(seed);
  const table = new Float32Array((3 + numItems) * width);
  const bias = new Float32Array(3 + numItems);
  for (let id = 3; id < 3 + numItems; id++) {
    const length = 0.2 + 2 * random();
    for (let d = 0; d < width; d++) table[id * width + d] = length * (random() + random() - 1);
    bias[id] = random() - 0.5;
  }
  return { table, width, bias };
}

/** Dense ids of the items with the highest scores, best first. */
export function bestItems({ table, width, bias }: ItemVectors, hidden: Float32Array, count: number): number[] {
  const score = (id: number) => hidden.reduce((sum, h, d) => sum + h * table[id * width + d], bias?.[id] ?? 0);
  const ids = Array.from({ length: table.length / width - 3 }, (_, i) => 3 + i);
  return ids.sort((a, b) => score(b) - score(a)).slice(0, count);
}
