import { type JaggedAttentionOptions, jaggedAttention } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { attendNewest } from './attend-newest.ts';
import type { SessionMemory } from './session-memory.ts';

/** Where a layer's keys and values are kept. */
export interface LayerMemory {
  readonly memory: SessionMemory;
  /** Unique within the model. */
  readonly layer: string;
}

/**
 * Attention over whole sessions, or, with a memory, of the newest events over one session of which keys and values are kept.
 *
 * @throws when the attention is not causal, since an event would then change what was kept of earlier ones
 */
export function attend(
  query: Tensor2D,
  key: Tensor2D,
  value: Tensor2D,
  offsets: Int32Array,
  options: JaggedAttentionOptions,
  kept?: LayerMemory,
): Tensor2D {
  if (!kept) return jaggedAttention(query, key, value, offsets, options);
  if (!options.causal || options.mask) throw new Error(`${kept.layer}: only causal attention keeps a memory`);
  const { memory, layer } = kept;
  const { numHeads, scale, kind } = options;
  return attendNewest(query, memory.append(`${layer}.key`, key), memory.append(`${layer}.value`, value), {
    numHeads,
    scale,
    kind,
  });
}
