import type { SessionBatch } from './session-batch.ts';

/**
 * What each stream of a two-stream model may see (Yang et al. 2019, "XLNet", section 2.3): for a session of length L an
 * L × L block, row-major, blocks laid end to end; query i sees key j where the byte is 1.
 *
 * - `content`: places[j] ≤ places[i], itself included: h of equation (1) in the paper's two-stream form.
 * - `query`: places[j] < places[i], so never the item that is to be predicted: g.
 *
 * Positions of place 0 are the context: their content sees all of the context, and their query sees nothing.
 *
 * @throws when the batch has no factorisation places
 *
 * @example
 * const batch = { ...packSessions([[5, 6]]), factorizationPlaces: Int32Array.of(1, 0) };
 * factorizationMask(batch, 'content'); // → Uint8Array [1, 1, 0, 1]
 * factorizationMask(batch, 'query'); // → Uint8Array [0, 1, 0, 0]
 */
export function factorizationMask(
  { offsets, factorizationPlaces: places }: Pick<SessionBatch, 'offsets' | 'factorizationPlaces'>,
  stream: 'content' | 'query',
): Uint8Array {
  if (!places) {
    throw new Error('factorizationMask: the batch has no factorizationPlaces; make it with the permutation objective');
  }
  let size = 0;
  for (let b = 1; b < offsets.length; b++) size += (offsets[b] - offsets[b - 1]) ** 2;
  const mask = new Uint8Array(size);
  const margin = stream === 'content' ? 1 : 0;
  let at = 0;
  for (let b = 1; b < offsets.length; b++) {
    for (let i = offsets[b - 1]; i < offsets[b]; i++) {
      for (let j = offsets[b - 1]; j < offsets[b]; j++) mask[at++] = places[j] < places[i] + margin ? 1 : 0;
    }
  }
  return mask;
}
